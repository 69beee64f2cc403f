// Reads a certificate file (DER), and prints what Go makes of its name constraints.
package main

import (
	"crypto/x509"
	"fmt"
	"os"
)

func main() {
	der, err := os.ReadFile(os.Args[1])
	check(err)
	read, err := x509.ParseCertificate(der)
	check(err)
	fmt.Println("critical", read.PermittedDNSDomainsCritical)
	fmt.Println("permitted", read.PermittedDNSDomains, read.PermittedIPRanges)
	fmt.Println("excluded", read.ExcludedDNSDomains, read.ExcludedIPRanges)
	fmt.Println("unhandled", read.UnhandledCriticalExtensions)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
