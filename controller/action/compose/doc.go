// Package compose carries out jobs of type deploy: one run of docker compose.
//
// # Rules
//
//  1. The command line is built from tables: verbs, and for each verb its flags with
//     what value they take (flags.go). What is not in them is refused before anything
//     is started. Services and profiles cannot be read as flags. No shell.
//  2. Compose files are read only below the operator's roots, after symbolic links
//     were resolved on both sides. What a compose file itself refers to (include,
//     extends, env_file, build contexts, bind mounts) is compose's business: whoever
//     may write files below a root may deploy what they say.
//  3. up is detached and waits until everything is running and healthy. Compose counts
//     a one-shot container that has ended well as a failure of that wait; it is none
//     (converged.go).
//  4. Output goes to the log line by line while compose runs; its --progress=json
//     stream becomes readable lines, pct (the share of the things compose names that
//     are done) and step.
//  5. A canceled deploy is ended, not undone: containers stay as they are at that
//     moment, and the message says so.
//  6. The outcome is compose's exit code. There is no time limit but the job's own.
package compose
