// Command workload is what pods of the tests on a node run: with the argument "serve" servers of each kind of traffic,
// and without arguments nothing, as the first process of a sandbox does.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/net/websocket"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func main() {
	if len(os.Args) == 1 {
		waitForTheEnd()
		return
	}
	listener, err := net.Listen("tcp", ":9090")
	if err != nil {
		log.Fatal(err)
	}
	streams := grpc.NewServer()
	streams.RegisterService(&grpc.ServiceDesc{
		ServiceName: "headgate.e2e.Echo",
		HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{
			{StreamName: "Echo", Handler: echoStream, ServerStreams: true, ClientStreams: true}},
	}, struct{}{})
	go func() { log.Fatal(streams.Serve(listener)) }()

	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, r.Host) })
	http.HandleFunc("/slow", slow)
	http.HandleFunc("/trickle", trickle)
	http.HandleFunc("/upload", func(w http.ResponseWriter, r *http.Request) {
		size, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintln(w, size)
	})
	http.Handle("/socket", websocket.Server{Handler: func(socket *websocket.Conn) { io.Copy(socket, socket) }})
	log.Fatal(http.ListenAndServe(":8080", nil))
}

func waitForTheEnd() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	<-signals
}

// duration is that of the query's "for".
func duration(r *http.Request) time.Duration {
	duration, err := time.ParseDuration(r.URL.Query().Get("for"))
	if err != nil {
		return 0
	}
	return duration
}

// slow answers late.
func slow(w http.ResponseWriter, r *http.Request) {
	time.Sleep(duration(r))
	fmt.Fprintln(w, r.Host)
}

// trickle answers at once, and is done late: a line every tenth of a second.
func trickle(w http.ResponseWriter, r *http.Request) {
	for range duration(r) / (100 * time.Millisecond) {
		fmt.Fprintln(w, r.Host)
		w.(http.Flusher).Flush()
		time.Sleep(100 * time.Millisecond)
	}
}

func echoStream(_ any, stream grpc.ServerStream) error {
	for {
		message := &wrapperspb.StringValue{}
		err := stream.RecvMsg(message)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = stream.SendMsg(message)
		}
		if err != nil {
			return err
		}
	}
}
