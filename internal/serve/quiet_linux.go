package serve

import (
	"net"

	"golang.org/x/sys/unix"
)

// refuseNew makes the kernel ignore requests for new connections to a listener,
// while those that are being made still come through to Accept. Closing a
// listener resets the connections that wait to be accepted, and a request may be
// on its way on one of them. Whoever is ignored asks again after a second, and is
// then refused or finds another server.
//
// The filter is a program of classic BPF that sees a packet from its TCP header
// on: byte 13 holds the flags.
func refuseNew(l net.Listener) bool {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return false
	}
	const (
		flagsOffset = 13
		syn, ack    = 0x02, 0x10
		drop, pass  = 0, 0xffffffff
	)
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flagsOffset},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: syn | ack},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: syn, Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: drop},
		{Code: unix.BPF_RET | unix.BPF_K, K: pass},
	}
	set := false
	err = raw.Control(func(fd uintptr) {
		set = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}) == nil
	})
	return err == nil && set
}
