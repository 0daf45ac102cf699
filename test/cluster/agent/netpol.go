//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// settle is how long changes are gathered before the rules are written again.
	settle = 20 * time.Millisecond
	// applyRetry is the pause after rules that the kernel refused.
	applyRetry = time.Second
)

// runNetpol keeps the nftables rules of one node, in whose network namespace it runs,
// as the cluster's NetworkPolicies want them.
func runNetpol(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("netpol", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "who the agent is")
	node := flags.String("node", "", "the node that it runs on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods, namespaces, policies := factory.Core().V1().Pods(), factory.Core().V1().Namespaces(), factory.Networking().V1().NetworkPolicies()
	changed := make(chan struct{}, 1)
	for _, informer := range []cache.SharedIndexInformer{pods.Informer(), namespaces.Informer(), policies.Informer()} {
		if _, err := informer.AddEventHandler(onAnyChange(changed)); err != nil {
			return err
		}
	}
	factory.StartWithContext(ctx)
	if err := factory.WaitForCacheSyncWithContext(ctx).Err; err != nil {
		return fmt.Errorf("reading pods, namespaces and policies: %w", err)
	}
	snapshot := func() (state, error) {
		var s state
		var podErr, nsErr, policyErr error
		s.pods, podErr = pods.Lister().List(labels.Everything())
		s.namespaces, nsErr = namespaces.Lister().List(labels.Everything())
		s.policies, policyErr = policies.Lister().List(labels.Everything())
		return s, errors.Join(podErr, nsErr, policyErr)
	}
	return keep(ctx, *node, changed, snapshot)
}

func onAnyChange(changed chan<- struct{}) cache.ResourceEventHandlerFuncs {
	poke := func() {
		select {
		case changed <- struct{}{}:
		default: // already to be looked at
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { poke() }, UpdateFunc: func(any, any) { poke() }, DeleteFunc: func(any) { poke() },
	}
}

// keep writes the rules whenever they have changed.
func keep(ctx context.Context, node string, changed <-chan struct{}, snapshot func() (state, error)) error {
	applied := ""
	timer := time.NewTimer(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			timer.Reset(settle)
			continue
		case <-timer.C:
		}
		s, err := snapshot()
		if err != nil {
			return err
		}
		rules := s.rules(node)
		if rules == applied {
			continue
		}
		if err := apply(ctx, rules); err != nil {
			slog.Error("the kernel refused the rules", "error", err, "rules", rules)
			timer.Reset(applyRetry)
			continue
		}
		applied = rules
		slog.Info("rules written", "policies", len(s.policies))
	}
}

// apply gives the rules to the kernel, which takes all or none.
func apply(ctx context.Context, rules string) error {
	nft := exec.CommandContext(ctx, "nft", "-f", "-")
	nft.Stdin = strings.NewReader(rules)
	if out, err := nft.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, out)
	}
	return nil
}
