// Package reply prints replies of Redis the way redis-cli does, and reads
// command lines the way it does.
package reply
