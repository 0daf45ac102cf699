// Package operator keeps Models as their specs say. A reconciliation is a short list of
// phases: observe the cluster, decide the revision, render, apply, prune, report.
// What to do is decided by pure functions (plan.go, pin.go, handover.go, ownership,
// health); every effect on the cluster is in apply.go, prune.go and report.go.
//
// Objects are written by server-side apply with a field manager of their own, and only
// if something of them would change. They are owned by their Model by reference, so
// that the cluster's garbage collector removes them; no finalizer is needed.
package operator
