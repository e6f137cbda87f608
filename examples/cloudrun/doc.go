// Command cloudrun serves the sample platform on Cloud Run or any other place
// that starts a container, gives it a PORT and ends it with SIGTERM.
//
// See the README beside it for the settings.
package main
