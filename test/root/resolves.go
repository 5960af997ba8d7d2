// Asks for the address of what each line names, by Go's own resolver, which looks at resolv.conf every 5 s.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		addresses, err := net.LookupHost(lines.Text())
		fmt.Println(addresses, err)
	}
}
