# What a site imports as plasmagen.nixosModules.<name>. A profile of the inventory names one of these as its base,
# save the PXE server's, which is the provisioner's, and the installer that machines boot from the network.
builtins.mapAttrs (_: file: { imports = [ file ]; }) {
  default = ./base.nix;
  control-plane = ./control-plane.nix;
  worker = ./worker.nix;
  all-in-one = ./all-in-one.nix;
  pxe-server = ./pxe-server;
  netboot = ./netboot;
}
