import time, pytest
from tests.lab.conftest import *
from tests.lab.build import build
from tests.lab.lines import LINES
def test_stop(tmp_path):
    line=LINES["map_e_v6plus"]()
    with build(line.topology, tmp_path) as lab:
        for cmd in (("natpmpc","-g","192.168.77.1","-a","9123","9123","tcp","600"),("upnpc","-u",line.location,"-a","192.168.77.10","8123","7490","TCP","600"),("upnpc","-u",line.location,"-n","192.168.77.10","8123","8123","TCP","600")):
            t=time.monotonic(); print(lab["lan"].run(*cmd)); print(cmd, time.monotonic()-t)
        print(lab.log(line.topology.daemons[0])[-1500:])
