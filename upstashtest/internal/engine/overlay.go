package engine

import (
	"maps"
	"sync"
)

var (
	overlayOnce sync.Once
	overlayMap  map[string]handler
)

// overlay holds the commands that the engine answers itself. The rest goes to
// miniredis as it is.
func overlay() map[string]handler {
	overlayOnce.Do(func() {
		overlayMap = map[string]handler{}
		for _, family := range []map[string]handler{
			stringCommands(), genericCommands(), serverCommands(), pubsubCommands(),
			scriptCommands(), functionCommands(), jsonCommands(),
			bitmapCommands(), zsetCommands(), hashCommands(),
			geoCommands(), streamCommands(), scanCommands(), dumpCommands(), miscCommands(), searchCommands(), repairCommands(), groupCommands(), hllCommands(), sparseCommands(), vectorCommands(), aclCommands(),
		} {
			maps.Copy(overlayMap, family)
		}
	})
	return overlayMap
}
