# The load balancer.
import ../service.nix {
  name = "fiberlb";
  description = "PlasmaCloud load balancer";
  ports.port = 9092;
  after = [ "flaredb" ];
  capabilities = [
    "CAP_NET_ADMIN"
    "CAP_NET_BIND_SERVICE"
  ];
}
