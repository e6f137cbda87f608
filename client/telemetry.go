package client

import (
	"net/http"
	"os"
	"runtime"
)

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
