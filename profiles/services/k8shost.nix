# The Kubernetes node agent. Pods inherit the restrictions of this unit and may need anything that a further restriction
# would take away; the specifications of pods restrict them.
import ../service.nix {
  name = "k8shost";
  description = "PlasmaCloud Kubernetes host";
  ports.port = 10250;
  after = [ "prismnet" ];
  privileged = true;
  health = false;
}
