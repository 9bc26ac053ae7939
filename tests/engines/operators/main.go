// Runs the controllers and the webhooks of JobSet, Kubeflow's training and MPI operators, and KubeRay, in one process.
//
// They are the operators' own packages, started as their own programs start them, but for what a test can't have: they listen
// on all addresses, elect leaders, and keep certificates in a fixed folder of /tmp. Here one webhook server listens, on
// 127.0.0.1.
package main

import (
	"context"
	"flag"
	"os"

	"github.com/kubeflow/mpi-operator/cmd/mpi-operator/app/options"
	mpiclient "github.com/kubeflow/mpi-operator/pkg/client/clientset/versioned"
	mpischeme "github.com/kubeflow/mpi-operator/pkg/client/clientset/versioned/scheme"
	mpiinformers "github.com/kubeflow/mpi-operator/pkg/client/informers/externalversions"
	mpi "github.com/kubeflow/mpi-operator/pkg/controller"
	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	trainingconfig "github.com/kubeflow/training-operator/pkg/config"
	training "github.com/kubeflow/training-operator/pkg/controller.v1"
	"github.com/kubeflow/training-operator/pkg/controller.v1/common"
	trainingwebhooks "github.com/kubeflow/training-operator/pkg/webhooks"
	rayconfig "github.com/ray-project/kuberay/ray-operator/apis/config/v1alpha1"
	rayv1 "github.com/ray-project/kuberay/ray-operator/apis/ray/v1"
	"github.com/ray-project/kuberay/ray-operator/controllers/ray"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	kubescheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	jobset "sigs.k8s.io/jobset/api/jobset/v1alpha2"
	jobsetcontrollers "sigs.k8s.io/jobset/pkg/controllers"
	jobsetwebhooks "sigs.k8s.io/jobset/pkg/webhooks"
)

func main() {
	// controller-runtime has a flag --kubeconfig already.
	port := flag.Int("webhook-port", 0, "where the webhooks listen, on 127.0.0.1")
	certificates := flag.String("certificates", "", "the folder of tls.crt and tls.key")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	if err := run(ctrl.SetupSignalHandler(), *port, *certificates); err != nil {
		ctrl.Log.Error(err, "it ends")
		os.Exit(1)
	}
}

func run(ctx context.Context, port int, certificates string) error {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		kubescheme.AddToScheme, jobset.AddToScheme, kubeflow.AddToScheme, rayv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	config := ctrl.GetConfigOrDie()
	config.QPS = -1
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:        scheme,
		Metrics:       server.Options{BindAddress: "0"},
		WebhookServer: webhook.NewServer(webhook.Options{Host: "127.0.0.1", Port: port, CertDir: certificates}),
	})
	if err != nil {
		return err
	}
	for _, setUp := range []func(context.Context, manager.Manager) error{setUpJobSet, setUpPyTorch, setUpRay} {
		if err := setUp(ctx, mgr); err != nil {
			return err
		}
	}
	if err := startMPI(ctx, config); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

func setUpJobSet(ctx context.Context, mgr manager.Manager) error {
	if err := jobsetcontrollers.SetupJobSetIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	controller := jobsetcontrollers.NewJobSetReconciler(mgr.GetClient(), mgr.GetScheme(), mgr.GetEventRecorderFor("jobset"))
	if err := controller.SetupWithManager(mgr); err != nil {
		return err
	}
	webhooks, err := jobsetwebhooks.NewJobSetWebhook(mgr.GetClient())
	if err != nil {
		return err
	}
	return webhooks.SetupWebhookWithManager(mgr)
}

func setUpPyTorch(_ context.Context, mgr manager.Manager) error {
	trainingconfig.Config.PyTorchInitContainerImage = trainingconfig.PyTorchInitContainerImageDefault
	trainingconfig.Config.PyTorchInitContainerTemplateFile = trainingconfig.PyTorchInitContainerTemplateFileDefault
	trainingconfig.Config.PyTorchInitContainerMaxTries = trainingconfig.PyTorchInitContainerMaxTriesDefault
	setUp := training.SupportedSchemeReconciler[kubeflow.PyTorchJobKind]
	if err := setUp(mgr, common.GenNonGangSchedulerSetupFunc(), 1); err != nil {
		return err
	}
	return trainingwebhooks.SupportedSchemeWebhook[kubeflow.PyTorchJobKind](mgr)
}

func setUpRay(ctx context.Context, mgr manager.Manager) error {
	if err := ray.NewReconciler(ctx, mgr, ray.RayClusterReconcilerOptions{}).SetupWithManager(mgr, 1); err != nil {
		return err
	}
	jobs := ray.NewRayJobReconciler(ctx, mgr, ray.RayJobReconcilerOptions{}, rayconfig.Configuration{})
	return jobs.SetupWithManager(mgr, 1)
}

func startMPI(ctx context.Context, config *rest.Config) error {
	if err := mpischeme.AddToScheme(kubescheme.Scheme); err != nil {
		return err
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	jobs, err := mpiclient.NewForConfig(config)
	if err != nil {
		return err
	}
	defaults := options.NewServerOption()
	defaults.AddFlags(flag.NewFlagSet("mpi-operator", flag.ContinueOnError))
	builtIn, own := informers.NewSharedInformerFactory(kube, 0), mpiinformers.NewSharedInformerFactory(jobs, 0)
	core := builtIn.Core().V1()
	controller, err := mpi.NewMPIJobController(ctx, kube, jobs, nil, nil, core.ConfigMaps(), core.Secrets(), core.Services(),
		builtIn.Batch().V1().Jobs(), core.Pods(), builtIn.Scheduling().V1().PriorityClasses(),
		own.Kubeflow().V2beta1().MPIJobs(), defaults)
	if err != nil {
		return err
	}
	builtIn.Start(ctx.Done())
	own.Start(ctx.Done())
	go func() {
		if err := controller.Run(defaults.Threadiness, ctx.Done()); err != nil {
			ctrl.Log.Error(err, "the MPI operator ends")
			os.Exit(1)
		}
	}()
	return nil
}
