# SPDX-License-Identifier: GPL-2.0-or-later
"""Fills the test cloud of tests/peers/openstack with OpenStack's own SDK.

usage: openstack_fill.py FOLDER

Writes FOLDER/expected.json: how Nova's own code judges each flavor and image.
"""

import json
import sys

import openstack
from nova import objects
from nova.virt.libvirt import driver
from openstack import exceptions

URL, CA, REGION = "https://localhost:5000/v3", "/srv/tls/ca.pem", "one"

# Values that people write. None: no value.
ALLOWED = ["True", "true", "TRUE", "1", "yes", "on", "t", " True ", "False", "false", "0", "no", "", "maybe", None]
MODELS = ["virtio", "Virtio", "VIRTIO", "virtio-rng", "none", "", None]
RATES = [
    {"hw_rng:rate_bytes": "1024", "hw_rng:rate_period": "1000"},
    {"hw_rng:rate_bytes": "1024"},
    {"hw_rng:rate_bytes": "lots"},
    {"hw_rng:rate_bytes": "1024", "hw_rng:rate_period": "1 s"},
    {"hw_rng:rate_period": "1 s"},
    {"hw_rng:rate_bytes": " 64 "},
]


def connect(user, project):
    return openstack.connect(
        auth_url=URL, username=user, password=f"secret-of-{user}", project_name=project,
        user_domain_id="default", project_domain_id="default", cacert=CA, region_name=REGION)


def register(cloud):
    """Registers accounts of the services and of a user without rights, and the services' addresses."""
    identity = cloud.identity
    admin, member = identity.find_role("admin"), identity.find_role("member")
    for user, project, role in (("glance", "service", admin), ("nova", "service", admin), ("demo", "demo", member)):
        project = identity.find_project(project) or identity.create_project(name=project, domain_id="default")
        user = identity.create_user(
            name=user, password=f"secret-of-{user}", domain_id="default", default_project_id=project.id)
        identity.assign_project_role_to_user(project, user, role)
    identity.create_region(id="two")
    for name, kind, url in (("glance", "image", "https://localhost:9292"),
                            ("nova", "compute", "https://localhost:8774/v2.1")):
        service = identity.create_service(name=name, type=kind)
        for region, interface, where in ((REGION, "public", url), (REGION, "internal", url + "/"),
                                         ("two", "public", "https://localhost:9999")):
            identity.create_endpoint(service_id=service.id, interface=interface, url=where, region_id=region)


def make_flavors(cloud):
    """Makes flavors, and returns their extra specs by name."""
    specs = [{} if value is None else {"hw_rng:allowed": value} for value in ALLOWED]
    specs += [{"hw_rng:allowed": "True", **rate} for rate in RATES]
    specs += [{"hw_rng:allowed": "True"}] * (30 - len(specs))
    flavors = {f"flavor-{i:02}": spec for i, spec in enumerate(specs)}
    for i, (name, spec) in enumerate(flavors.items()):
        flavor = cloud.compute.create_flavor(
            name=name, flavor_id=f"f{i:02}", ram=64, vcpus=1, disk=1, is_public=i % 5 != 4)
        if spec:
            cloud.compute.create_flavor_extra_specs(flavor, spec)
    return flavors


def make_images(admin, demo):
    """Makes images, and returns their properties by name."""
    images = {}
    visibilities = ["public", "private", "shared", "community"]
    for i in range(60):
        model = MODELS[i % len(MODELS)]
        properties = {} if model is None else {"hw_rng_model": model}
        visibility = visibilities[i // len(MODELS) % len(visibilities)]
        # demo owns the private images. Some images are hidden, and one has no data.
        cloud = demo if visibility == "private" else admin
        # A raw request, because the SDK converts each value to a string.
        images[f"image-{i:02}"] = properties
        image = {"name": f"image-{i:02}", "disk_format": "raw", "container_format": "bare",
                 "visibility": visibility, "os_hidden": i % 10 == 9, **properties}
        answer = cloud.image.post("/images", json=image)
        exceptions.raise_from_response(answer)
        if i != 59:
            exceptions.raise_from_response(cloud.image.put(
                f"/images/{answer.json()['id']}/file", data=b"not to be started",
                headers={"Content-Type": "application/octet-stream"}))
    return images


class Guest:
    def __init__(self):
        self.devices = []

    def add_device(self, device):
        self.devices.append(device)


class Flavor:
    def __init__(self, specs):
        self.extra_specs = specs


def gets_rng(specs, properties):
    """Does Nova give a server an RNG? A server that does not start has none."""
    guest = Guest()
    try:
        image = objects.ImageMeta.from_dict({"properties": properties})
        driver.LibvirtDriver._add_rng_device(None, guest, Flavor(specs), image)
    except (ValueError, TypeError) as error:
        print(specs, properties, error, file=sys.stderr)
        return "no_rng"
    return "rng" if guest.devices else "no_rng"


def main():
    objects.register_all()
    register(connect("admin", "admin"))
    admin, demo = connect("admin", "admin"), connect("demo", "demo")
    flavors = {
        name: {"effective": gets_rng(specs, {}),
               "literal": "ok" if specs.get("hw_rng:allowed") == "True" else "warning"}
        for name, specs in make_flavors(admin).items()}
    images = {
        name: {"effective": gets_rng({}, properties),
               "literal": "ok" if properties.get("hw_rng_model") == "virtio" else "warning"}
        for name, properties in make_images(admin, demo).items()}
    credential = demo.identity.create_application_credential(
        demo.current_user_id, "check", secret="secret-of-credential")
    with open(f"{sys.argv[1]}/expected.json", "w", encoding="utf-8") as file:
        json.dump({"flavors": flavors, "images": images, "credential": credential.id}, file, indent=1)


main()
