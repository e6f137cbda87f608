package client

import (
	"net/http"
	"os"
	"runtime"
)

const idempotencyKey = "Idempotency-Key"

// shared header values: one element each, never written to.
var (
	valueJSON   = []string{"application/json"}
	valueBytes  = []string{"application/octet-stream"}
	valueBase64 = []string{"base64"}
	valueRESP2  = []string{"resp2"}
)

// header returns the header of an exchange. The names are in canonical form
// already.
func (c *Client) header(x *exchange) http.Header {
	h := make(http.Header, 12)
	h["Authorization"] = c.token.header()
	h["User-Agent"] = userAgent()
	h["Content-Type"] = valueJSON
	if x.raw {
		h["Content-Type"] = valueBytes
	}
	if x.resp2 {
		h["Upstash-Response-Format"] = valueRESP2
	} else {
		h["Upstash-Encoding"] = valueBase64
	}
	if x.repeatable {
		// Present but empty: net/http then takes the request for one that it
		// may send again on a fresh connection, and sends no such header.
		h[idempotencyKey] = nil
	}
	c.telemetry.put(h)
	return h
}

// telemetry holds the values of the headers that the official SDKs send too.
type telemetry struct{ sdk, platform, runtime []string }

func newTelemetry(cfg Config) telemetry {
	if cfg.DisableTelemetry || os.Getenv("UPSTASH_DISABLE_TELEMETRY") != "" {
		return telemetry{}
	}
	return telemetry{
		sdk:      []string{"restash-go@" + Version()},
		platform: []string{platform()},
		runtime:  []string{"go@" + runtime.Version()},
	}
}

func (t telemetry) put(h http.Header) {
	if t.sdk == nil {
		return
	}
	h["Upstash-Telemetry-Sdk"] = t.sdk
	h["Upstash-Telemetry-Platform"] = t.platform
	h["Upstash-Telemetry-Runtime"] = t.runtime
}

func platform() string {
	for _, p := range [...][2]string{
		{"VERCEL", "vercel"}, {"AWS_LAMBDA_FUNCTION_NAME", "aws"}, {"K_SERVICE", "google-cloud-run"},
	} {
		if os.Getenv(p[0]) != "" {
			return p[1]
		}
	}
	return "unknown"
}
