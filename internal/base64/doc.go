// Package base64 decodes answers with the vector instructions of the machine. It is
// the one seam to the package that does.
package base64
