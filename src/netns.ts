/** What statfs(2) says of a namespace's file: an empty file of `ip netns add` is none yet. */
export const NSFS_MAGIC = 0x6e736673;
