# Settings that several units of the PXE server have in common.
{
  # For servers that bind the provisioner's address, which must be configured before they start.
  online = {
    wants = [ "network-online.target" ];
    after = [ "network-online.target" ];
  };

  # NixOS' modules do not restart Kea and atftpd after a failure; without these servers no machine boots.
  restarts.serviceConfig = {
    Restart = "on-failure";
    RestartSec = 5;
  };
}
