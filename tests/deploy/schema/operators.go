package main

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What our manifests use of three operators whose own types are not here: KEDA's bring 500 packages along, and no module
// proxy is sure to serve the other two. The names are as in their references, https://keda.sh/docs/latest/reference/,
// https://www.rabbitmq.com/kubernetes/operator/using-operator and
// https://cloudnative-pg.io/documentation/current/cloudnative-pg.v1/. A field that is not listed here is refused, so a new
// one is looked up there first.

type object[Spec any] struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              Spec `json:"spec"`
}

type storage struct {
	Size         string `json:"size,omitempty"`
	StorageClass string `json:"storageClass,omitempty"`
}

type rabbitmqCluster struct {
	Image                         string                       `json:"image,omitempty"`
	Replicas                      int32                        `json:"replicas,omitempty"`
	Resources                     *corev1.ResourceRequirements `json:"resources,omitempty"`
	Affinity                      *corev1.Affinity             `json:"affinity,omitempty"`
	TerminationGracePeriodSeconds *int64                       `json:"terminationGracePeriodSeconds,omitempty"`
	Persistence                   struct {
		StorageClassName string `json:"storageClassName,omitempty"`
		Storage          string `json:"storage,omitempty"`
	} `json:"persistence,omitempty"`
	Rabbitmq struct {
		AdditionalConfig string `json:"additionalConfig,omitempty"`
		AdvancedConfig   string `json:"advancedConfig,omitempty"`
	} `json:"rabbitmq,omitempty"`
}

type postgresCluster struct {
	Description string                      `json:"description,omitempty"`
	ImageName   string                      `json:"imageName,omitempty"`
	Instances   int                         `json:"instances"`
	Storage     storage                     `json:"storage"`
	WalStorage  *storage                    `json:"walStorage,omitempty"`
	Resources   corev1.ResourceRequirements `json:"resources,omitempty"`
	Bootstrap   struct {
		Initdb struct {
			Database string `json:"database,omitempty"`
			Owner    string `json:"owner,omitempty"`
			Secret   struct {
				Name string `json:"name"`
			} `json:"secret,omitempty"`
		} `json:"initdb,omitempty"`
	} `json:"bootstrap,omitempty"`
	Postgresql struct {
		Parameters  map[string]string `json:"parameters,omitempty"`
		Synchronous struct {
			Method         string `json:"method"`
			Number         int    `json:"number"`
			DataDurability string `json:"dataDurability,omitempty"`
		} `json:"synchronous,omitempty"`
	} `json:"postgresql,omitempty"`
	Monitoring struct {
		EnablePodMonitor bool `json:"enablePodMonitor,omitempty"`
	} `json:"monitoring,omitempty"`
}

type scaledObject struct {
	ScaleTargetRef struct {
		Name string `json:"name"`
	} `json:"scaleTargetRef"`
	PollingInterval *int32 `json:"pollingInterval,omitempty"`
	CooldownPeriod  *int32 `json:"cooldownPeriod,omitempty"`
	MinReplicaCount *int32 `json:"minReplicaCount,omitempty"`
	MaxReplicaCount *int32 `json:"maxReplicaCount,omitempty"`
	Fallback        *struct {
		FailureThreshold int32 `json:"failureThreshold"`
		Replicas         int32 `json:"replicas"`
	} `json:"fallback,omitempty"`
	Triggers []struct {
		Type     string   `json:"type"`
		Metadata struct { // of the trigger `rabbitmq`
			Protocol  string `json:"protocol,omitempty"`
			QueueName string `json:"queueName"`
			Mode      string `json:"mode"`
			Value     string `json:"value"`
			VhostName string `json:"vhostName,omitempty"`
		} `json:"metadata"`
		AuthenticationRef struct {
			Name string `json:"name"`
		} `json:"authenticationRef,omitempty"`
	} `json:"triggers"`
}

type triggerAuthentication struct {
	SecretTargetRef []struct {
		Parameter string `json:"parameter"`
		Name      string `json:"name"`
		Key       string `json:"key"`
	} `json:"secretTargetRef,omitempty"`
}

// operatorType gives an empty object to decode into, nil for what this file does not know.
func operatorType(version, kind string) any {
	switch version + " " + kind {
	case "keda.sh/v1alpha1 ScaledObject":
		return &object[scaledObject]{}
	case "keda.sh/v1alpha1 TriggerAuthentication":
		return &object[triggerAuthentication]{}
	case "rabbitmq.com/v1beta1 RabbitmqCluster":
		return &object[rabbitmqCluster]{}
	case "postgresql.cnpg.io/v1 Cluster":
		return &object[postgresCluster]{}
	}
	return nil
}
