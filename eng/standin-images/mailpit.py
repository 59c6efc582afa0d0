# The parts of Mailpit that the system needs: SMTP on 1025, and on 8025 /readyz, /api/v1/messages and a page that lists the mails.
import email, email.policy, html, json, signal, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from aiosmtpd.controller import Controller

mails = []


class Inbox:
    async def handle_DATA(self, server, session, envelope):
        mails.insert(0, email.message_from_bytes(envelope.content, policy=email.policy.default))
        del mails[500:]
        return "250 taken"


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/api/v1/messages"):
            kind, body = "application/json", json.dumps({"total": len(mails), "messages": [{"Subject": m["subject"], "To": [{"Address": m["to"]}]} for m in mails]})
        else:
            kind, body = "text/html; charset=utf-8", "<ul>" + "".join(f"<li>{html.escape(str(m['to']))}: {html.escape(str(m['subject']))}</li>" for m in mails) + "</ul>"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


# The first process of a container has no default signal handling.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
Controller(Inbox(), hostname="0.0.0.0", port=1025).start()
ThreadingHTTPServer(("0.0.0.0", 8025), Page).serve_forever()
