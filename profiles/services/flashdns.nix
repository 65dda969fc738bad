# The DNS server, for clients too.
import ../service.nix {
  name = "flashdns";
  description = "PlasmaCloud name service";
  ports = {
    port = 53;
    healthPort = 853;
  };
  udp = true;
  after = [ "flaredb" ];
  capabilities = [ "CAP_NET_BIND_SERVICE" ];
}
