# The modules that a site imports as plasmagen.nixosModules.<name>. A profile of the inventory names a base:
# `control-plane`, `worker` or `all-in-one`. `pxe-server` is for the provisioner, and `netboot` is the installer that
# machines boot from the network.
builtins.mapAttrs (_: file: { imports = [ file ]; }) {
  default = ./base.nix;
  control-plane = ./control-plane.nix;
  worker = ./worker.nix;
  all-in-one = ./all-in-one.nix;
  pxe-server = ./pxe-server;
  netboot = ./netboot;
}
