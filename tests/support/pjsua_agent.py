"""The child process behind `pjsua_peer`: one pjsua2 softphone, commanded by JSON lines.

pjsua2 allows one Endpoint a process and at most four calls, and aborts the process when a Python
reference to one of its objects outlives `libDestroy`; so it lives here and nowhere else.
"""

import gc
import json
import os
import re
import select
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pjsua2 as pj

from tests.support.tone import heard, read_samples, write_tone

SRTP = {
    "off": pj.PJMEDIA_SRTP_DISABLED,
    "optional": pj.PJMEDIA_SRTP_OPTIONAL,
    "mandatory": pj.PJMEDIA_SRTP_MANDATORY,
}
TRANSPORT = {
    "udp": pj.PJSIP_TRANSPORT_UDP,
    "tcp": pj.PJSIP_TRANSPORT_TCP,
    "tls": pj.PJSIP_TRANSPORT_TLS,
}
HOST = "127.0.0.1"  # the wheel is built without IPv6 media


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Call(pj.Call):  # type: ignore[misc]
    """One call: always speaks the agent's tone, records when told to listen."""

    def __init__(self, agent: "Agent", call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(agent.account, call_id)
        self.agent = agent
        self.number = agent.next_number()
        self.player: Any = None
        self.recorder: Any = None
        self.audio_index = -1
        self.gone = False

    def onCallState(self, prm: Any) -> None:
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.gone = True
            self.player = self.recorder = None
            self.agent.finished.append(self)
        say(
            {
                "event": "state",
                "call": self.number,
                "state": info.stateText,
                "status": info.lastStatusCode,
                "reason": info.lastReason,
                "seconds": info.connectDuration.sec + info.connectDuration.msec / 1000,
                "sip_call_id": info.callIdString,
            }
        )

    def onCallTsxState(self, prm: Any) -> None:
        body = prm.e.body.tsxState
        if body.type == pj.PJSIP_EVENT_RX_MSG and body.src.rdata.wholeMsg:
            say(
                {
                    "event": "message",
                    "call": self.number,
                    "message": body.src.rdata.wholeMsg,
                }
            )

    def onCallMediaState(self, prm: Any) -> None:
        info = self.getInfo()
        self.audio_index = -1
        for index, media in enumerate(info.media):
            active = media.status in (
                pj.PJSUA_CALL_MEDIA_ACTIVE,
                pj.PJSUA_CALL_MEDIA_REMOTE_HOLD,
            )
            if media.type != pj.PJMEDIA_TYPE_AUDIO or not active:
                continue
            self.audio_index = index
            if self.player is None:
                self.player = pj.AudioMediaPlayer()
                self.player.createPlayer(self.agent.tone_file, 0)
            self.player.startTransmit(self.getAudioMedia(index))
        event = {"event": "media", "call": self.number, "active": self.audio_index >= 0}
        say(event | self.media_info())

    def media_info(self) -> dict[str, Any]:
        """What was negotiated, and how many packets passed."""
        if self.audio_index < 0 or self.gone:
            return {}
        stream = self.getStreamInfo(self.audio_index)
        statistics = self.getStreamStat(self.audio_index).rtcp
        suite = re.search(r"SRTP status: Active Crypto-suite: (\S+)", self.dump(True, ""))
        return {
            "codec": stream.codecName,
            "direction": stream.dir,
            "srtp": suite.group(1) if suite else "",
            "remote": stream.remoteRtpAddress,
            "received": statistics.rxStat.pkt,
            "sent": statistics.txStat.pkt,
            "lost": statistics.rxStat.loss,
        }

    def onDtmfDigit(self, prm: Any) -> None:
        say({"event": "dtmf", "call": self.number, "digit": prm.digit})


class Account(pj.Account):  # type: ignore[misc]
    agent: "Agent"

    def onIncomingCall(self, prm: Any) -> None:
        self.agent.incoming(prm.callId, prm.rdata.wholeMsg, prm.rdata.srcAddress)

    def onRegState(self, prm: Any) -> None:
        say(
            {
                "event": "registration",
                "status": prm.code,
                "reason": prm.reason,
                "expires_s": prm.expiration,
                "message": prm.rdata.wholeMsg,
            }
        )


class Agent:
    """The softphone: its transport, its account, its calls, and what it does on command."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        transport = options["transport"]
        self.suffix = "" if transport == "udp" else f";transport={transport}"
        self.directory = Path(options["directory"])
        self.tone_file = str(self.directory / "tone.wav")
        write_tone(Path(self.tone_file), options["tone_hz"], 2.0)
        self.calls: dict[int, Call] = {}
        self.finished: list[Call] = []
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.policy: dict[str, Any] = options["answer"]
        self.count = 0
        self.running = True
        self.endpoint = pj.Endpoint()
        self.port = self._start()
        self.account = self._unregistered_account()

    def next_number(self) -> int:
        self.count += 1
        return self.count

    def _start(self) -> int:
        self.endpoint.libCreate()
        config = pj.EpConfig()
        config.logConfig.level = config.logConfig.consoleLevel = 0
        log_level = int(self.options.get("log_level", 0))
        if log_level:
            config.logConfig.level = log_level
            config.logConfig.filename = str(self.directory / "pjsua.log")
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = 4
        config.uaConfig.userAgent = self.options["user_agent"]
        config.medConfig.noVad = True
        config.medConfig.ecTailLen = 0
        config.medConfig.clockRate = config.medConfig.sndClockRate = 8000
        self.endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.port = 0
        transport.boundAddress = HOST
        name = self.options["transport"]
        if name == "tls":
            transport.tlsConfig.CaListFile = self.options["ca_file"]
            transport.tlsConfig.verifyServer = bool(self.options["ca_file"])
            transport.tlsConfig.method = pj.PJSIP_TLSV1_2_METHOD
        identifier = self.endpoint.transportCreate(TRANSPORT[name], transport)
        self.endpoint.libStart()
        self.endpoint.audDevManager().setNullDev()
        for codec in self.endpoint.codecEnum2():
            self.endpoint.codecSetPriority(codec.codecId, 0)
        for rank, codec_id in enumerate(self.options["codecs"]):
            self.endpoint.codecSetPriority(codec_id, 250 - rank)
        local = self.endpoint.transportGetInfo(identifier).localName
        return int(local.rsplit(":", 1)[1])

    def _account_config(self, identity: str) -> Any:
        config = pj.AccountConfig()
        config.idUri = identity
        media = config.mediaConfig
        media.transportConfig.boundAddress = HOST
        media.transportConfig.port = 0
        media.srtpUse = SRTP[self.options["srtp"]]
        media.srtpSecureSignaling = 0
        config.natConfig.contactRewriteUse = 0
        config.natConfig.sdpNatRewriteUse = 0
        config.callConfig.timerUse = {
            "off": pj.PJSUA_SIP_TIMER_INACTIVE,
            "optional": pj.PJSUA_SIP_TIMER_OPTIONAL,
        }[self.options["session_timer"]]
        return config

    def _unregistered_account(self) -> Account:
        user = self.options["user"]
        config = self._account_config(f"<sip:{user}@{HOST}:{self.port}{self.suffix}>")
        account = Account()
        account.agent = self
        account.create(config)
        return account

    def incoming(self, call_id: int, message: str, source: str) -> None:
        call = Call(self, call_id)
        self.calls[call.number] = call
        say({"event": "incoming", "call": call.number, "message": message, "source": source})
        policy = self.policy
        if policy.get("ring_status"):
            self._answer(call, policy["ring_status"])
        if policy.get("status"):
            at = time.monotonic() + policy.get("delay_s", 0.0)
            self.due.append((at, lambda: self._answer(call, policy["status"])))

    def _answer(self, call: Call, status: int) -> None:
        if call.gone:
            return
        parameters = pj.CallOpParam()
        parameters.statusCode = status
        call.answer(parameters)

    # Commands: each takes the keyword arguments of its JSON line and returns its reply.

    def do_register(
        self,
        *,
        server: str,
        username: str,
        password: str,
        realm: str = "*",
        expires_s: int = 300,
        aor_host: str = "",
        contact_params: str = "",
    ) -> dict[str, Any]:
        config = self._account_config(f"<sip:{username}@{aor_host or server}>")
        config.regConfig.registrarUri = f"sip:{server}{self.suffix}"
        config.regConfig.timeoutSec = expires_s
        config.regConfig.retryIntervalSec = 0
        config.sipConfig.proxies.append(f"<sip:{server}{self.suffix};lr>")
        config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", realm, username, 0, password))
        config.sipConfig.contactUriParams = contact_params
        account = Account()
        account.agent = self
        account.create(config, True)
        self.account = account
        return {}

    def do_unregister(self) -> dict[str, Any]:
        self.account.setRegistration(False)
        return {}

    def do_call(self, *, uri: str, headers: dict[str, str]) -> dict[str, Any]:
        call = Call(self)
        self.calls[call.number] = call
        parameters = pj.CallOpParam(True)
        for name, value in headers.items():
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            parameters.txOption.headers.append(header)
        call.makeCall(uri, parameters)
        return {"call": call.number}

    def do_policy(self, **policy: Any) -> dict[str, Any]:
        self.policy = policy
        return {}

    def do_answer(self, *, call: int, status: int) -> dict[str, Any]:
        self._answer(self.calls[call], status)
        return {}

    def do_hold(self, *, call: int) -> dict[str, Any]:
        self.calls[call].setHold(pj.CallOpParam(True))
        return {}

    def do_resume(self, *, call: int) -> dict[str, Any]:
        parameters = pj.CallOpParam(True)
        parameters.opt.flag = pj.PJSUA_CALL_UNHOLD
        self.calls[call].reinvite(parameters)
        return {}

    def do_hang_up(self, *, call: int, status: int) -> dict[str, Any]:
        parameters = pj.CallOpParam()
        parameters.statusCode = status
        if not self.calls[call].gone:
            self.calls[call].hangup(parameters)
        return {}

    def do_dtmf(self, *, call: int, digits: str) -> dict[str, Any]:
        self.calls[call].dialDtmf(digits)
        return {}

    def do_media(self, *, call: int) -> dict[str, Any]:
        return self.calls[call].media_info()

    def do_listen(self, *, call: int, seconds: float) -> None:
        """Record for `seconds`, then report the tone as an event."""
        subject = self.calls[call]
        path = self.directory / f"heard-{call}-{self.next_number()}.wav"
        recorder = pj.AudioMediaRecorder()
        recorder.createRecorder(str(path))
        if subject.audio_index >= 0 and not subject.gone:
            subject.getAudioMedia(subject.audio_index).startTransmit(recorder)
        subject.recorder = recorder

        def stop() -> None:
            nonlocal recorder
            subject.recorder = None
            del recorder
            gc.collect()  # the file is complete only once pjsua2 lets go of it
            report(time.monotonic() + 1.0)

        def report(deadline: float) -> None:
            # pjsua2 removes the recorder from its bridge in another thread, some frames later
            try:
                samples = read_samples(path)
            except (wave.Error, EOFError):
                if time.monotonic() > deadline:
                    raise
                self.due.append((time.monotonic() + 0.02, lambda: report(deadline)))
                return
            found = heard(samples)
            say(
                {
                    "event": "heard",
                    "call": call,
                    "frequency_hz": found.frequency_hz,
                    "purity": found.purity,
                    "rms": found.rms,
                    "seconds": found.seconds,
                }
            )

        self.due.append((time.monotonic() + seconds, stop))

    def do_quit(self) -> dict[str, Any]:
        self.running = False
        return {}

    def obey(self, line: str) -> None:
        command = json.loads(line)
        number, verb = command.pop("id"), command.pop("do")
        try:
            reply = getattr(self, f"do_{verb}")(**command) or {}
        except pj.Error as error:
            say({"reply": number, "error": error.info(True)})
        else:
            say({"reply": number, **reply})

    def run(self) -> None:
        """Pump pjsua2, the due list and the command stream until told to quit or stdin ends."""
        os.set_blocking(sys.stdin.fileno(), False)
        pending = ""
        while self.running:
            self.endpoint.libHandleEvents(5)
            now = time.monotonic()
            ripe = [action for at, action in self.due if at <= now]
            self.due = [(at, action) for at, action in self.due if at > now]
            for action in ripe:
                action()
            self.finished.clear()
            if not select.select([sys.stdin], [], [], 0)[0]:
                continue
            chunk = os.read(sys.stdin.fileno(), 65536).decode()
            if not chunk:
                return
            *lines, pending = (pending + chunk).split("\n")
            for line in lines:
                self.obey(line)

    def stop(self) -> None:
        """Let go of every pjsua2 object in the order that does not abort the process."""
        self.endpoint.hangupAllCalls()
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            self.endpoint.libHandleEvents(10)
        self.due.clear()
        self.finished.clear()
        self.calls.clear()
        self.account.shutdown()
        del self.account
        gc.collect()
        self.endpoint.libDestroy()


def main() -> None:
    agent = Agent(json.loads(sys.argv[1]))
    say({"event": "ready", "port": agent.port, "host": HOST})
    agent.run()
    agent.stop()


if __name__ == "__main__":
    main()
