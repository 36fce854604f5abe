package children

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	autoscalingac "k8s.io/client-go/applyconfigurations/autoscaling/v2"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyac "k8s.io/client-go/applyconfigurations/policy/v1"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// laneVariable tells a replica of the order service which campaign's lane is its only one.
const laneVariable = "LANE"

// deployment runs the order service for one lane. Its number of pods is the autoscaler's, but for none:
// an autoscaler neither goes to 0 nor leaves it.
func deployment(_ Settings, l Lane) (any, error) {
	template, err := podTemplate(l)
	if err != nil {
		return nil, err
	}
	c := l.Campaign
	spec := appsac.DeploymentSpec().
		WithSelector(metaac.LabelSelector().WithMatchLabels(selector(c))).
		WithTemplate(template)
	if l.Replicas == 0 {
		spec.WithReplicas(0)
	}
	return appsac.Deployment(Name(c), c.Namespace).
		WithLabels(labels(c)).WithOwnerReferences(owner(c)).WithSpec(spec), nil
}

// podTemplate is the order service's own, so that a roll-out of it reaches the lanes, with other labels:
// the pods must not answer for the shared pool's Service.
func podTemplate(l Lane) (*coreac.PodTemplateSpecApplyConfiguration, error) {
	text, err := json.Marshal(l.Order.Spec.Template)
	if err != nil {
		return nil, fmt.Errorf("encode the order service's pod template: %w", err)
	}
	template := &coreac.PodTemplateSpecApplyConfiguration{}
	if err := json.Unmarshal(text, template); err != nil {
		return nil, fmt.Errorf("decode the order service's pod template: %w", err)
	}
	if template.Spec == nil || len(template.Spec.Containers) == 0 {
		return nil, errors.New("the order service's Deployment has no container")
	}
	annotations := map[string]string{}
	if template.ObjectMetaApplyConfiguration != nil {
		annotations = template.Annotations
	}
	template.ObjectMetaApplyConfiguration = nil
	template.WithLabels(labels(l.Campaign)).WithAnnotations(annotations)
	setLane(&template.Spec.Containers[0], string(l.Campaign.UID))
	for i := range template.Spec.TopologySpreadConstraints {
		template.Spec.TopologySpreadConstraints[i].LabelSelector = metaac.LabelSelector().WithMatchLabels(selector(l.Campaign))
	}
	return template, nil
}

func setLane(container *coreac.ContainerApplyConfiguration, uid string) {
	container.Env = slices.DeleteFunc(container.Env, func(e coreac.EnvVarApplyConfiguration) bool {
		return e.Name != nil && *e.Name == laneVariable
	})
	container.WithEnv(coreac.EnvVar().WithName(laneVariable).WithValue(uid))
}

const servicePort = 80

func service(_ Settings, l Lane) (any, error) {
	c := l.Campaign
	return coreac.Service(Name(c), c.Namespace).
		WithLabels(labels(c)).WithOwnerReferences(owner(c)).
		WithSpec(coreac.ServiceSpec().
			WithSelector(selector(c)).
			WithPorts(coreac.ServicePort().WithName("http").WithProtocol(corev1.ProtocolTCP).
				WithPort(servicePort).WithTargetPort(intstr.FromString("http")))), nil
}

// busyPercent is the part of their requested CPU above which pods get company.
const busyPercent = 70

// autoscaler keeps the schedule's least number of pods, and adds some by load.
func autoscaler(_ Settings, l Lane) (any, error) {
	c := l.Campaign
	return autoscalingac.HorizontalPodAutoscaler(Name(c), c.Namespace).
		WithLabels(labels(c)).WithOwnerReferences(owner(c)).
		WithSpec(autoscalingac.HorizontalPodAutoscalerSpec().
			WithScaleTargetRef(autoscalingac.CrossVersionObjectReference().
				WithAPIVersion("apps/v1").WithKind("Deployment").WithName(Name(c))).
			WithMinReplicas(max(l.Replicas, 1)).
			WithMaxReplicas(max(l.MaxReplicas, l.Replicas, 1)).
			WithMetrics(autoscalingac.MetricSpec().
				WithType(autoscalingv2.ResourceMetricSourceType).
				WithResource(autoscalingac.ResourceMetricSource().
					WithName(corev1.ResourceCPU).
					WithTarget(autoscalingac.MetricTarget().
						WithType(autoscalingv2.UtilizationMetricType).WithAverageUtilization(busyPercent))))), nil
}

func budget(_ Settings, l Lane) (any, error) {
	c := l.Campaign
	return policyac.PodDisruptionBudget(Name(c), c.Namespace).
		WithLabels(labels(c)).WithOwnerReferences(owner(c)).
		WithSpec(policyac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).
			WithSelector(metaac.LabelSelector().WithMatchLabels(selector(c)))), nil
}
