#!/bin/sh
# The init of the lab's test system: it prints on the serial console what the machine was told and what it loaded.
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
serial=/dev/ttyS0
[ -c /dev/ttyAMA0 ] && serial=/dev/ttyAMA0
exec >"$serial" 2>&1 </dev/null
echo 1 >/proc/sys/kernel/printk
say() { echo "plasmagen-lab: $*"; }

echo
say begin
say cmdline "$(cat /proc/cmdline)"
say hostname "$(cat /etc/hostname)"
say serial "$(cat /sys/class/dmi/id/product_serial)"
find /etc /root -type f | sort | while read -r file; do
  sum=$(sha256sum <"$file")
  say file "${sum%% *}" "$file"
done

while read -r module; do insmod "/modules/$module"; done </modules/order
ip link set eth0 up
say mac "$(cat /sys/class/net/eth0/address)"
udhcpc -q -n -f -i eth0 -O hostname -s /bin/udhcpc-script -t 8 -T 2 >/dev/null
base=http://$(cat /lab/server):$(cat /lab/port)/boot
while read -r path; do
  sum=$(wget -q -O - "$base/$path" | sha256sum)
  say served "${sum%% *}" "$path"
done </lab/served
say end
poweroff -f
