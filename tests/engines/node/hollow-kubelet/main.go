// Runs the kubelet's own code on containers, images and hardware that are played: pods start, files are written, no program
// runs. Two commands end at once: `true` with 0, `false` with 1.
//
// Kubernetes' kubemark does the same, but it listens on all addresses without authentication and leaves files in /tmp; its
// events go nowhere, and its containers are ready whatever happened to them. This one doesn't listen at all, and keeps its
// files in the folder that it is given.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/kubernetes"
	v1core "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/record"
	internalapi "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	apitest "k8s.io/cri-api/pkg/apis/testing"
	remote "k8s.io/cri-client/pkg"
	fakeremote "k8s.io/cri-client/pkg/fake"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/kubelet"
	cadvisor "k8s.io/kubernetes/pkg/kubelet/cadvisor/testing"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/kubemark"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the API server")
	name := flag.String("name", "", "name of the node")
	folder := flag.String("folder", "", "where pods' files go; an existing, empty folder")
	gpus := flag.String("gpus", "0", "how many nvidia.com/gpu it has")
	flag.Parse()
	klog.Exit(run(context.Background(), *kubeconfig, *name, *folder, *gpus))
}

func run(ctx context.Context, kubeconfig, name, folder, gpus string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}

	endpoint := "unix://" + filepath.Join(folder, "runtime.sock")
	played := fakeremote.NewFakeRemoteRuntime()
	if err := played.Start(endpoint); err != nil {
		return err
	}
	connection, err := remote.NewRemoteRuntimeServiceBuilder().WithEndpoint(endpoint).
		WithConnectionTimeout(15 * time.Second).Build(ctx)
	if err != nil {
		return err
	}

	flags, settings := kubemark.GetHollowKubeletConfig(&kubemark.HollowKubeletOptions{NodeName: name, MaxPods: 110})
	// No registry is to be spared: the pods of tests that run side by side would wait for each other.
	settings.RegistryPullQPS = 0
	// A folder in /tmp, made by the call above whatever TMPDIR says.
	if err := os.RemoveAll(flags.RootDirectory); err != nil {
		return err
	}
	flags.RootDirectory = folder
	settings.StaticPodPath = ""
	settings.PodLogsDir = filepath.Join(folder, "logs")
	settings.EnableServer = false
	settings.ReadOnlyPort = 0
	// How often mounted files are compared with their secrets: a minute by default, which is long for a test.
	settings.SyncFrequency.Duration = 2 * time.Second

	devices := cm.NewStubContainerManagerWithDevicePluginResource(v1.ResourceList{
		"nvidia.com/gpu": resource.MustParse(gpus),
	})
	hollow := kubemark.NewHollowKubelet(flags, settings, client, client, &cadvisor.Fake{NodeName: name},
		images{played.ImageService}, &containers{RuntimeService: connection, played: played.RuntimeService, folder: folder}, devices)
	hollow.KubeletDeps.ProbeManager = nil
	hollow.KubeletDeps.TracerProvider = recorderSetter{noop.NewTracerProvider(), hollow.KubeletDeps, events(client, name)}
	hollow.Run(ctx)
	return errors.New("it ended")
}

// images has every image but those of hosts that RFC 2606 promises not to exist.
type images struct {
	internalapi.ImageManagerService
}

func (i images) PullImage(ctx context.Context, image *runtimeapi.ImageSpec, auth *runtimeapi.AuthConfig,
	sandbox *runtimeapi.PodSandboxConfig) (string, error) {
	if host, _, _ := strings.Cut(image.Image, "/"); strings.HasSuffix(host, ".invalid") {
		return "", errors.New("failed to resolve image: " + host + ": no such host")
	}
	return i.ImageManagerService.PullImage(ctx, image, auth, sandbox)
}

// containers writes down what each container gets, for the tests to read: folder/started/NAMESPACE/POD/CONTAINER.json.
type containers struct {
	internalapi.RuntimeService
	played *apitest.FakeRuntimeService
	folder string
	// The exit code of each container that ends at once.
	ends sync.Map
}

// started is what a program in the container would see.
type started struct {
	Variables map[string]string `json:"variables"`
	// Where on this machine the files below a path in the container are.
	Mounts map[string]string `json:"mounts"`
}

func (c *containers) CreateContainer(ctx context.Context, sandboxID string, config *runtimeapi.ContainerConfig,
	sandbox *runtimeapi.PodSandboxConfig) (string, error) {
	id, err := c.RuntimeService.CreateContainer(ctx, sandboxID, config, sandbox)
	if err != nil {
		return "", err
	}
	if len(config.Command) == 1 && config.Command[0] == "true" {
		c.ends.Store(id, int32(0))
	}
	if len(config.Command) == 1 && config.Command[0] == "false" {
		c.ends.Store(id, int32(1))
	}
	seen := started{Variables: map[string]string{}, Mounts: map[string]string{}}
	for _, variable := range config.Envs {
		seen.Variables[variable.Key] = string(variable.Value)
	}
	for _, mount := range config.Mounts {
		seen.Mounts[mount.ContainerPath] = mount.HostPath
	}
	content, err := json.Marshal(seen)
	if err != nil {
		return "", err
	}
	pod := filepath.Join(c.folder, "started", sandbox.Metadata.Namespace, sandbox.Metadata.Name)
	if err := os.MkdirAll(pod, 0o700); err != nil {
		return "", err
	}
	return id, os.WriteFile(filepath.Join(pod, config.Metadata.Name+".json"), content, 0o600)
}

func (c *containers) StartContainer(ctx context.Context, id string) error {
	if err := c.RuntimeService.StartContainer(ctx, id); err != nil {
		return err
	}
	if code, ends := c.ends.LoadAndDelete(id); ends {
		return c.end(ctx, id, 0, code.(int32))
	}
	return nil
}

// StopContainer ends a program that has no answer to SIGTERM. With the runtime's own exit code, 0, a pod that is deleted would
// have succeeded.
func (c *containers) StopContainer(ctx context.Context, id string, timeout int64) error {
	return c.end(ctx, id, timeout, 143)
}

func (c *containers) end(ctx context.Context, id string, timeout int64, code int32) error {
	if err := c.RuntimeService.StopContainer(ctx, id, timeout); err != nil {
		return err
	}
	c.played.Lock()
	defer c.played.Unlock()
	c.played.Containers[id].ExitCode = code
	return nil
}

func events(client kubernetes.Interface, node string) record.EventRecorderLogger {
	broadcaster := record.NewBroadcaster()
	broadcaster.StartRecordingToSink(&v1core.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return broadcaster.NewRecorder(legacyscheme.Scheme, v1.EventSource{Component: "kubelet", Host: node})
}

// recorderSetter gives the kubelet its recorder of events at the one moment that serves. With another recorder than a
// *record.FakeRecorder it watches /dev/kmsg, which not every machine shows; it asks for the tracer right after it has
// decided that, and only then takes the recorder for itself (pkg/kubelet/kubelet.go, NewMainKubelet, seen in v1.37.2).
type recorderSetter struct {
	trace.TracerProvider
	dependencies *kubelet.Dependencies
	recorder     record.EventRecorderLogger
}

func (s recorderSetter) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	s.dependencies.Recorder = s.recorder
	return s.TracerProvider.Tracer(name, options...)
}
