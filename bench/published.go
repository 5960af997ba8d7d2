// The published program, written anew from its description: published ID PROGRAM [ARG...].
// Each launch leaves one mount on the host.
package main

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
)

const file = "/etc/resolv.conf"

// In init, where the thread is the first one: exec gives any other that one's id.
func init() { runtime.LockOSThread() }

func main() {
	id := os.Args[1]
	must(syscall.Mount(file, file, "", syscall.MS_BIND, ""))
	must(syscall.Mount("", file, "", syscall.MS_PRIVATE, ""))
	must(syscall.Unshare(syscall.CLONE_NEWNS))
	must(syscall.Mount("/etc/netns/"+id+"/resolv.conf", file, "", syscall.MS_BIND, ""))
	words := []string{"nsenter", "-t", strconv.Itoa(syscall.Gettid()), "--mount", "--net=/run/netns/" + id}
	must(syscall.Exec("/usr/bin/nsenter", append(words, os.Args[2:]...), os.Environ()))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
