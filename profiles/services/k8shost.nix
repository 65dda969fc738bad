# The Kubernetes node agent. What it starts inherits what is taken from it, and pods may need any of that: their own
# specifications restrict them.
import ../service.nix {
  name = "k8shost";
  description = "PlasmaCloud Kubernetes host";
  ports.port = 10250;
  after = [ "prismnet" ];
  privileged = true;
  health = false;
}
