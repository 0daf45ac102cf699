package operator

import (
	"context"
	"fmt"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
)

// definitionWatcher says when CustomResourceDefinitions change.
type definitionWatcher struct {
	cache   cache.Cache
	changed func()
}

// NeedLeaderElection says that who waits to lead looks, too.
func (w *definitionWatcher) NeedLeaderElection() bool { return false }

// Start implements the manager's Runnable.
func (w *definitionWatcher) Start(ctx context.Context) error {
	informer, err := w.cache.GetInformer(ctx, definitions(), cache.BlockUntilSynced(false))
	if err != nil {
		return fmt.Errorf("watching CustomResourceDefinitions: %w", err)
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { w.changed() },
		UpdateFunc: func(any, any) { w.changed() },
		DeleteFunc: func(any) { w.changed() },
	})
	if err != nil {
		return fmt.Errorf("watching CustomResourceDefinitions: %w", err)
	}
	<-ctx.Done()
	return nil
}
