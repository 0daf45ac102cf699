// Command apiserver is etcd and kube-apiserver in one binary: what tests need that have
// no nodes, in four fifths of the packages of the control plane.
package main

import "mizzen.dev/test/cluster/kube/component"

func main() { component.APIServer().Main() }
