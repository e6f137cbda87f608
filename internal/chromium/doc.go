// Package chromium lets tests look at pages as people do: in a headless
// Chromium, on wide and narrow screens, light and dark.
package chromium
