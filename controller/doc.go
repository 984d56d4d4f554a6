// Package controller is what every controller stands on; it knows no kind.
//
//	store ──list, watch──► Source ──changes──► Handler (a controller's own)
//
// # Invariants
//
//  1. A Source delivers every object that its list selects and every later change of its
//     kind, in order, for as long as its context lasts. A list or a watch that fails is
//     begun again, with back-off; only a closed store ends it.
//  2. A change may be delivered twice, never left out: a Handler is level-triggered.
package controller
