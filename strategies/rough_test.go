package strategies_test

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// roughProxy stands between clients and a server and does to TCP what networks
// do: it delays, it resets connections, and it swallows answers to requests
// that were executed. It returns its address.
func roughProxy(t *testing.T, target string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{target: target, open: map[net.Conn]bool{}}
	p.wg.Go(func() { p.accept(l) })
	t.Cleanup(func() {
		_ = l.Close()
		p.closeAll()
		p.wg.Wait()
	})
	return l.Addr().String()
}

type proxy struct {
	target string
	wg     sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
}

func (p *proxy) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", p.target)
		if err != nil || !p.own(c, s) {
			_ = c.Close()
			continue
		}
		p.wg.Go(func() { p.pass(s, c, 2) })
		p.wg.Go(func() { p.pass(c, s, 6) })
	}
}

// own notes the connections that the end must close; false after the end.
func (p *proxy) own(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.open[c] = true
	}
	return !p.closed
}

func (p *proxy) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for c := range p.open {
		_ = c.Close()
	}
}

// pass copies one direction. Of a thousand pieces it resets at some, and loses
// as many with all that follows them.
func (p *proxy) pass(to, from net.Conn, perMille int) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		switch luck := rand.IntN(1000); {
		case luck < perMille: // a reset, in the middle of a piece
			_, _ = to.Write(buf[:n/2])
			if tcp, ok := to.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			return
		case luck < 2*perMille: // lost: nobody hears of it until a timeout
			_, _ = io.Copy(io.Discard, from)
			return
		case luck < 2*perMille+30:
			time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
