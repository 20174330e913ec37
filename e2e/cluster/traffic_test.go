package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"headgate.dev/headgate/e2e/harness"
)

// How long a slow request takes, and a stream. Both outlive the time that a pod goes on accepting connections after it
// was told to stop.
const (
	slowTime   = 6 * time.Second
	streamTime = 20 * time.Second
	streamBeat = 100 * time.Millisecond
	busyLimit  = time.Minute // for an answer: a busy machine makes slow answers slower
)

// traffic is every kind of client of a data plane, all at once. None tries again: what goes wrong is counted.
type traffic struct {
	plain, secure string // where the data plane is
	host, streams string // what it serves there: e2e/cluster/workload over HTTP, and over gRPC

	stopped chan struct{}
	clients sync.WaitGroup
	started time.Time
	mutex   sync.Mutex
	kinds   []*kind
}

// kind is what clients of one kind have asked for.
type kind struct {
	name             string
	requests, failed atomic.Int64
	first            []string // failures
}

// start lets clients of each kind work until stop.
func (l *traffic) start() {
	l.stopped, l.started = make(chan struct{}), time.Now()
	l.clientsOf("keep-alive", 6, func(count func()) error { return l.keepAlive(l.plain, "", count) })
	l.clientsOf("keep-alive over TLS", 3, func(count func()) error { return l.keepAlive(l.secure, l.host, count) })
	l.clientsOf("rare requests", 20, l.rare)
	l.clientsOf("new connections", 3, l.newConnection)
	l.clientsOf("HTTP/2", 2, l.http2())
	l.clientsOf("slow answers", 10, func(count func()) error {
		return l.once("/slow?for="+slowTime.String(), 1, count)
	})
	l.clientsOf("slow bodies", 10, func(count func()) error {
		return l.once("/trickle?for="+slowTime.String(), int(slowTime/(100*time.Millisecond)), count)
	})
	l.clientsOf("slow uploads", 5, l.upload)
	l.clientsOf("WebSockets", 20, l.socket)
	for range 10 {
		l.clientsOf("gRPC streams", 1, l.stream())
	}
}

// clientsOf runs sessions one after the other in each of several clients. A session calls count for every request or
// message that was answered as it should be.
func (l *traffic) clientsOf(name string, clients int, session func(count func()) error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var of *kind
	for _, known := range l.kinds {
		if known.name == name {
			of = known
		}
	}
	if of == nil {
		of = &kind{name: name}
		l.kinds = append(l.kinds, of)
	}
	for range clients {
		l.clients.Go(func() {
			for !l.pause(0) {
				if err := session(func() { of.requests.Add(1) }); err != nil {
					l.fail(of, err)
					l.pause(100 * time.Millisecond)
				}
			}
		})
	}
}

func (l *traffic) fail(of *kind, err error) {
	of.failed.Add(1)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if len(of.first) < 5 {
		of.first = append(of.first, fmt.Sprintf("%s %s: %v", time.Now().UTC().Format("15:04:05.000"), of.name, err))
	}
}

// pause waits, and tells whether the traffic is to end.
func (l *traffic) pause(duration time.Duration) bool {
	select {
	case <-l.stopped:
		return true
	default:
	}
	if duration == 0 {
		return false
	}
	select {
	case <-l.stopped:
		return true
	case <-time.After(duration):
		return false
	}
}

// requests is the number of those answered so far, without messages in streams.
func (l *traffic) requests() (sum int64) {
	for _, of := range l.kinds {
		if of.name != "WebSockets" && of.name != "gRPC streams" {
			sum += of.requests.Load()
		}
	}
	return sum
}

// failures is the number of those that were not answered as they should have been.
func (l *traffic) failures() (sum int64) {
	for _, of := range l.kinds {
		sum += of.failed.Load()
	}
	return sum
}

// stop lets the sessions come to their ends, and fails the test if anything went wrong in any.
func (l *traffic) stop(t testing.TB) {
	t.Helper()
	close(l.stopped)
	l.clients.Wait()
	for _, of := range l.kinds {
		t.Logf("%-20s %7d answered, %d failed", of.name, of.requests.Load(), of.failed.Load())
		if of.requests.Load() == 0 {
			t.Errorf("%s: nothing was answered", of.name)
		}
		for _, failure := range of.first {
			t.Error(failure)
		}
	}
	t.Logf("%d requests in %s", l.requests(), time.Since(l.started).Round(time.Second))
}

// get asks for path and holds the answer to its lines, each of which is the host. True: the connection was announced
// to end.
func (l *traffic) get(conn *harness.Conn, path string, lines int) (last bool, err error) {
	conn.Limit = busyLimit
	answer, err := conn.Get(l.host, path, false)
	if last = errors.Is(err, harness.ErrLast); last {
		err = nil
	}
	if err == nil && (answer.Status != http.StatusOK || string(answer.Body) != strings.Repeat(l.host+"\n", lines)) {
		err = fmt.Errorf("%s: status %d, %q", path, answer.Status, answer.Body)
	}
	return last, err
}

func (l *traffic) keepAlive(address, serverName string, count func()) error {
	return l.askEvery(5*time.Millisecond, address, serverName, count)
}

// rare asks so seldom that a data plane which drains for a while meets connections that say nothing meanwhile.
func (l *traffic) rare(count func()) error { return l.askEvery(3*time.Second, l.plain, "", count) }

func (l *traffic) askEvery(pause time.Duration, address, serverName string, count func()) error {
	conn, err := harness.Dial(address, serverName)
	if err != nil {
		return err
	}
	defer conn.Close()
	for {
		last, err := l.get(conn, "/", 1)
		if err != nil {
			return err
		}
		count()
		if l.pause(pause) || last {
			return nil
		}
	}
}

func (l *traffic) newConnection(count func()) error {
	l.pause(20 * time.Millisecond)
	return l.once("/", 1, count)
}

func (l *traffic) once(path string, lines int, count func()) error {
	conn, err := harness.Dial(l.plain, "")
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err = l.get(conn, path, lines); err == nil {
		count()
	}
	return err
}

// dialSecure is for clients that find their way by name.
func (l *traffic) dialSecure(ctx context.Context, _, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", l.secure)
}

func (l *traffic) http2() func(count func()) error {
	client := &http.Client{Transport: &http.Transport{DialContext: l.dialSecure, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	return func(count func()) error {
		l.pause(5 * time.Millisecond)
		response, err := client.Get("https://" + l.host + "/")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err == nil && (response.StatusCode != http.StatusOK || string(body) != l.host+"\n" || response.ProtoMajor != 2) {
			err = fmt.Errorf("%s %s, %q", response.Proto, response.Status, body)
		}
		if err == nil {
			count()
		}
		return err
	}
}

// beats is a body that comes bit by bit.
type beats struct {
	left int
	wait time.Duration
}

func (b *beats) Read(into []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	b.left--
	time.Sleep(b.wait)
	return copy(into, "beat"), nil
}

func (l *traffic) upload(count func()) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", l.plain)
		}}}
	const number = int(slowTime / streamBeat)
	response, err := client.Post("http://"+l.host+"/upload", "text/plain", &beats{number, streamBeat})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || string(body) != fmt.Sprintln(number*len("beat"))) {
		err = fmt.Errorf("%s, %q", response.Status, body)
	}
	if err == nil {
		count()
	}
	return err
}

func (l *traffic) socket(count func()) error {
	config, err := websocket.NewConfig("ws://"+l.host+"/socket", "http://"+l.host)
	if err != nil {
		return err
	}
	connection, err := net.Dial("tcp", l.plain)
	if err != nil {
		return err
	}
	defer connection.Close()
	socket, err := websocket.NewClient(config, connection)
	if err != nil {
		return err
	}
	return l.beat(func(message string) (answer string, err error) {
		if err = websocket.Message.Send(socket, message); err == nil {
			err = websocket.Message.Receive(socket, &answer)
		}
		return answer, err
	}, count)
}

// stream is a client with a connection that outlives its streams.
func (l *traffic) stream() func(count func()) error {
	trust := credentials.NewTLS(&tls.Config{InsecureSkipVerify: true, ServerName: l.streams})
	client, clientErr := grpc.NewClient("passthrough:///"+l.secure, grpc.WithTransportCredentials(trust),
		grpc.WithAuthority(l.streams), grpc.WithDisableRetry())
	return func(count func()) error {
		if clientErr != nil {
			return clientErr
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		stream, err := client.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/headgate.e2e.Echo/Echo")
		if err != nil {
			return err
		}
		err = l.beat(func(message string) (string, error) {
			answer := &wrapperspb.StringValue{}
			if err := stream.SendMsg(wrapperspb.String(message)); err != nil && err != io.EOF {
				return "", err
			}
			err := stream.RecvMsg(answer) // says why the stream ended, if it did
			return answer.GetValue(), err
		}, count)
		if err != nil {
			return err
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
		if err := stream.RecvMsg(&wrapperspb.StringValue{}); err != io.EOF {
			return fmt.Errorf("at its end: %v", err)
		}
		return nil
	}
}

// beat exchanges messages for the time of a stream.
func (l *traffic) beat(exchange func(message string) (string, error), count func()) error {
	started := time.Now()
	for number := 0; time.Since(started) < streamTime; number++ {
		message := fmt.Sprint("beat ", number)
		answer, err := exchange(message)
		if err == nil && answer != message {
			err = fmt.Errorf("%q for %q", answer, message)
		}
		if err != nil {
			return fmt.Errorf("after %s: %w", time.Since(started).Round(time.Millisecond), err)
		}
		count()
		time.Sleep(streamBeat)
	}
	return nil
}
