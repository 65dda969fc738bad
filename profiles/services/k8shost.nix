# The Kubernetes node agent.
import ../service.nix {
  name = "k8shost";
  description = "PlasmaCloud Kubernetes host";
  ports.port = 10250;
  after = [ "prismnet" ];
  privileged = true;
  health = false;
}
