// "TRUST PORT [HOST]": asks https://HOST:PORT/ (localhost) with the system's roots ("system"), or with those of a file, and prints
// the answer.
// ASK_AT is the time of its clock in seconds since 1970, where it is set.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	trust, port, host := os.Args[1], os.Args[2], "localhost"
	if len(os.Args) > 3 {
		host = os.Args[3]
	}
	config := &tls.Config{}
	if trust != "system" {
		pem, err := os.ReadFile(trust)
		check(err)
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			check(fmt.Errorf("no certificate in %s", trust))
		}
	}
	if at := os.Getenv("ASK_AT"); at != "" {
		seconds, err := strconv.ParseInt(at, 10, 64)
		check(err)
		config.Time = func() time.Time { return time.Unix(seconds, 0) }
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: 20 * time.Second}
	response, err := client.Get("https://" + host + ":" + port + "/")
	check(err)
	answer, err := io.ReadAll(response.Body)
	check(err)
	fmt.Println(string(answer))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
