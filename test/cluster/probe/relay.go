package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"sync"
)

// relayPort is that of OpenTelemetry's collectors, the only ones that need it.
const relayPort = ":4317"

// relay has what comes at the port passed on to an address outside of the cluster, from
// then on: so pods reach a test as they reach other pods, through what isolates them.
func relay(w http.ResponseWriter, r *http.Request) {
	to := r.FormValue("to")
	l, err := net.Listen("tcp", relayPort)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				log.Print(err)
				return
			}
			go pass(from, to)
		}
	}()
}

func pass(from net.Conn, to string) {
	defer from.Close()
	onward, err := net.DialTimeout("tcp", to, callTimeout)
	if err != nil {
		log.Print(err)
		return
	}
	defer onward.Close()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{from, onward}, {onward, from}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // an end is all that there is to know
			_ = way[0].Close()
		})
	}
	both.Wait()
}
