/* dist/nspin.so, byte for byte. OBJECT: its path, from build/guard.ts. */
	.section .rodata.object, "a", %progbits
	.balign 4096 /* arm64's code finds its constants by pages */
	.globl object, object_end
object:
	.incbin OBJECT
object_end:
	.section .note.GNU-stack, "", %progbits
