// SPDX-License-Identifier: Apache-2.0
//
// The programs that go.mod and go.sum are for: `go mod tidy` keeps what they need.

//go:build tools

package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
