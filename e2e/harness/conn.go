package harness

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// answerLimit bounds every wait for an answer of the data plane.
const answerLimit = 10 * time.Second

// ErrClosed says that the data plane closed a connection, or announced that it would. Only a data
// plane that ends may do so to a client that behaves.
var ErrClosed = errors.New("the data plane closed the connection")

// ErrLast says that an answer, which is complete, was announced as its connection's last. It is an ErrClosed.
var ErrLast = fmt.Errorf("%w: Connection: close", ErrClosed)

// Conn is one keep-alive connection to the data plane. Unlike net/http's client it never dials
// again behind the caller's back: a connection that is closed under it is an error.
type Conn struct {
	Limit time.Duration // of the wait for an answer

	connection net.Conn
	reader     *bufio.Reader
}

// Answer is a response with its body read.
type Answer struct {
	Status  int
	Backend string // the address that answered; empty if the data plane did
	Header  http.Header
	Body    []byte
}

// AnswerOf is an answer to some other client, without its body.
func AnswerOf(response *http.Response) Answer {
	return Answer{response.StatusCode, response.Header.Get(backendHeader), response.Header, nil}
}

// Dial connects to address; with a server name, over TLS (verifying nothing: tests look at Certificate).
func Dial(address, serverName string) (*Conn, error) {
	connection, err := net.DialTimeout("tcp", address, answerLimit)
	if err != nil {
		return nil, err
	}
	if serverName != "" {
		secured := tls.Client(connection, &tls.Config{
			ServerName: serverName, InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
		connection.SetDeadline(time.Now().Add(answerLimit))
		if err := secured.Handshake(); err != nil {
			connection.Close()
			return nil, fmt.Errorf("TLS with %s: %w", serverName, err)
		}
		connection = secured
	}
	return &Conn{answerLimit, connection, bufio.NewReaderSize(connection, 4096)}, nil
}

// Close ends the connection.
func (c *Conn) Close() { c.connection.Close() }

// Serial is the serial number of the certificate that the data plane showed.
func (c *Conn) Serial() int64 {
	return c.connection.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// Get asks and reads the whole answer. short asks the backend for a small one.
func (c *Conn) Get(host, path string, short bool) (Answer, error) {
	extra := ""
	if short {
		extra = "X-E2e-Short: 1\r\n"
	}
	c.connection.SetDeadline(time.Now().Add(c.Limit))
	request := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + extra + "\r\n"
	if _, err := io.WriteString(c.connection, request); err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrClosed, err)
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("%w: %w", ErrClosed, err)
		}
		return Answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	answer := Answer{response.StatusCode, response.Header.Get(backendHeader), response.Header, body}
	if err != nil {
		return answer, fmt.Errorf("%w in the body: %w", ErrClosed, err)
	}
	if response.Close {
		return answer, fmt.Errorf("%w with status %d", ErrLast, response.StatusCode)
	}
	return answer, nil
}

// Echo decodes the body of an answer that a backend gave.
func (a Answer) Echo() (Echo, error) {
	var echo Echo
	err := json.Unmarshal(a.Body, &echo)
	return echo, err
}
