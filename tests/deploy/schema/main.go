// Renders a kustomization and reads every object of it with the types of the program that will take it (operators.go
// has some of ours instead): an unknown or misspelt field, a wrong type and an unknown kind are errors. Prints the
// objects as YAML.
//
//	go run . DIRECTORY
package main

import (
	"fmt"
	"os"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// strictDecoder knows Kubernetes itself and the Prometheus operator, by their own Go types.
func strictDecoder() (runtime.Decoder, error) {
	types := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme,
		autoscalingv2.AddToScheme, monitoringv1.AddToScheme,
	} {
		if err := add(types); err != nil {
			return nil, err
		}
	}
	return serializer.NewCodecFactory(types, serializer.EnableStrict).UniversalDeserializer(), nil
}

func check(object *resource.Resource, decoder runtime.Decoder) error {
	text, err := object.AsYAML()
	if err != nil {
		return err
	}
	if target := operatorType(object.GetApiVersion(), object.GetKind()); target != nil {
		return yaml.UnmarshalStrict(text, target)
	}
	_, _, err = decoder.Decode(text, nil, nil)
	return err
}

func run(directory string) error {
	decoder, err := strictDecoder()
	if err != nil {
		return err
	}
	objects, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), directory)
	if err != nil {
		return err
	}
	text, err := objects.AsYaml()
	if err != nil {
		return err
	}
	os.Stdout.Write(text)
	failures := 0
	for _, object := range objects.Resources() {
		if err := check(object, decoder); err != nil {
			failures++
			fmt.Fprintf(os.Stderr, "%s %s: %v\n", object.GetKind(), object.GetName(), err)
		}
	}
	if failures > 0 {
		return fmt.Errorf("%s: %d of %d objects are wrong", directory, failures, objects.Size())
	}
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: schema DIRECTORY")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}
