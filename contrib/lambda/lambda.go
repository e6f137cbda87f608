package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdaurl"

	"github.com/cldcde/restash/strategies"
)

// Events says what invokes the function.
type Events int

// The sources of events.
const (
	// FunctionURL is a Function URL with InvokeMode RESPONSE_STREAM: what the
	// handler writes is sent as it is written.
	FunctionURL Events = iota
	// APIGateway is an HTTP API of API Gateway with payload format 2.0, or a
	// Function URL with InvokeMode BUFFERED. Answers are buffered.
	APIGateway
)

// Config says what to run. Only Handler must be set.
type Config struct {
	// Handler answers the requests. The context of a request ends Reserve before
	// the invocation's deadline.
	Handler http.Handler
	// Store is flushed after each answer and closed at the end; nil means that
	// there is nothing to wait for.
	Store *strategies.Store
	// Events is where requests come from; default [FunctionURL].
	Events Events
	// Reserve is the time kept back at the end of an invocation, half of it for
	// the answer that says so and half for background work; default [DefaultReserve].
	Reserve time.Duration
	// Logger gets what goes wrong outside of requests; default [slog.Default].
	Logger *slog.Logger
}

const (
	// DefaultReserve is the default of Config.Reserve.
	DefaultReserve = 200 * time.Millisecond
	// closeTimeout fits into the 500 ms between SIGTERM and SIGKILL.
	closeTimeout = 400 * time.Millisecond
)

// Executor returns the executor for a Store on Lambda: callers never wait for a
// refresh, which is finished between the answer and the freeze.
func Executor() strategies.Executor { return strategies.Pool(16) }

// Start serves requests and does not return while the platform lets it run. It
// returns an error if the Config is wrong, if this is not Lambda, or if the
// extension cannot be registered.
func Start(config Config) error {
	api := os.Getenv("AWS_LAMBDA_RUNTIME_API")
	switch {
	case config.Handler == nil:
		return errors.New("lambda: Config.Handler must be set")
	case config.Reserve < 0:
		return errors.New("lambda: Config.Reserve must not be negative")
	case config.Events != FunctionURL && config.Events != APIGateway:
		return fmt.Errorf("lambda: Config.Events %d is unknown", config.Events)
	case api == "":
		return errors.New("lambda: AWS_LAMBDA_RUNTIME_API is not set: this is not Lambda")
	}
	if config.Reserve == 0 {
		config.Reserve = DefaultReserve
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	f := &function{config: config, finished: make(chan struct{}, 64)}
	if err := f.extend(api); err != nil {
		return err
	}
	go f.closeOnSIGTERM()
	lambda.Start(f.handler())
	return errors.New("lambda: the runtime stopped")
}

// function is the running program.
type function struct {
	config   Config
	finished chan struct{} // one for each invocation whose handler returned
}

// extend registers the internal extension, which must happen before the runtime
// asks for its first event.
func (f *function) extend(api string) error {
	// Vercel's functions look like Lambda but have a wrapper of their own; where
	// one process serves several invocations at once, no event tells their ends.
	if f.config.Store == nil || os.Getenv("VERCEL") != "" || os.Getenv("AWS_LAMBDA_MAX_CONCURRENCY") != "" {
		return nil
	}
	e, err := register(context.Background(), api)
	if err != nil {
		return err
	}
	go f.holdFreezes(e) // lives as long as the process
	return nil
}

// holdFreezes lets the platform freeze the process only when an invocation's
// background work is done.
func (f *function) holdFreezes(e *extension) {
	for {
		event, err := e.next(context.Background())
		if err != nil {
			f.config.Logger.Error("extension stopped: background work may be frozen", "error", err)
			return
		}
		ctx, cancel := context.WithDeadline(context.Background(), event.deadline().Add(-f.config.Reserve/2))
		select {
		case <-f.finished:
		case <-ctx.Done(): // the platform is about to end the invocation
		}
		if err := f.config.Store.Flush(ctx); err != nil {
			f.config.Logger.Warn("background work was not done before the freeze", "error", err)
		}
		cancel()
	}
}

// closeOnSIGTERM uses the half second that a function with an extension has.
func (f *function) closeOnSIGTERM() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	<-ended
	if f.config.Store != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if err := f.config.Store.Close(ctx); err != nil {
			f.config.Logger.Warn("not everything was sent before the end", "error", err)
		}
	}
	os.Exit(0)
}

// handler is what aws-lambda-go calls. It takes the event as it came, so that
// one that cannot be read still counts as finished.
func (f *function) handler() any {
	if f.config.Events == APIGateway {
		return func(ctx context.Context, raw json.RawMessage) (*events.APIGatewayV2HTTPResponse, error) {
			defer f.finish()
			ctx, cancel := f.reserve(ctx)
			defer cancel()
			return serveGateway(ctx, f.recovering(f.config.Handler), raw)
		}
	}
	return f.stream
}

// stream hands the answer over while it is written.
func (f *function) stream(ctx context.Context, raw json.RawMessage) (*events.LambdaFunctionURLStreamingResponse, error) {
	var event events.LambdaFunctionURLRequest
	if err := json.Unmarshal(raw, &event); err != nil {
		f.finish()
		return nil, fmt.Errorf("lambda: no Function URL event: %w", err)
	}
	begun := false
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun = true
		defer f.finish()
		ctx, cancel := f.reserve(r.Context())
		defer cancel()
		f.recovering(f.config.Handler).ServeHTTP(w, r.WithContext(ctx))
	})
	answer, err := lambdaurl.Wrap(h)(ctx, &event)
	if err != nil && !begun {
		f.finish()
	}
	return answer, err
}

func (f *function) finish() {
	select {
	case f.finished <- struct{}{}:
	default: // nobody listens: there is no extension
	}
}

// reserve leaves time to answer, because the platform's own deadline ends the process.
func (f *function) reserve(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, known := ctx.Deadline()
	if !known {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-f.config.Reserve))
}

// recovering answers 500 after a panic, which would otherwise end the process
// and cost the next caller a cold start.
func (f *function) recovering(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if cause := recover(); cause != nil {
				f.config.Logger.Error("panic", "path", r.URL.Path, "cause", fmt.Sprint(cause))
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		h.ServeHTTP(w, r)
	})
}
