// Package health judges whether the containers of a compose project work as a deploy
// expects. It is the only judge of "up": the attempt, the recovery after a crash and the
// rollback ask the same functions.
//
// # Rules
//
//  1. Judge is a function of what is wanted, what the engine says and the engine's time. An
//     event that is lost, late or seen twice changes no judgment.
//  2. A running container with a health check is good when the check passes, one without when
//     it has run for Want.Stable; after a restart, both when it has run for Want.Stable. A
//     container that has ended with exit code 0 is good as a one-shot, unless its restart policy
//     (always, unless-stopped) would have kept it running, or it ended while the engine was away.
//     health.services[].expect (Want.Expect) decides otherwise: Running, Completed or Any.
//  3. More restarts than Want.MaxRestarts, a failing check, another exit code, or a missing
//     container end the deploy at once. A container that has run for Want.Stable since its last
//     restart is good again, however often it was restarted.
//  4. A service has the grade of its worst container, a project that of its worst service.
//  5. Probe asks health.probe once. It goes to loopback ports that the deploy's containers
//     publish, and elsewhere only where the operator lets api_call go.
package health
