#!/bin/sh
# libtomcat9-java 9.0.70-2, libjetty9-extra-java 9.4.57-1.1~deb12u1 (Debian 12), OpenJDK 17.
# Guess: a handler that raises is told to its client as 1011 (internal error), a stop of the server as 1001 (going away): RFC 6455, 7.4.1.
# Seen: Tomcat closes with 1002 and the reason "An unrecoverable IOException occurred so the connection was closed": a bug of the app looks like the client's
# malformed frames, or the network. Jetty closes with a frame without any code when it is stopped: its clients are told 1005, wasClean true, as after an end
# that was meant, and those that come back only after a loss stay away. Each does the other's half as guessed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download libtomcat9-java=9.0.70-2 libjetty9-java=9.4.57-1.1~deb12u1 libjetty9-extra-java=9.4.57-1.1~deb12u1 \
  libservlet-api-java libgeronimo-annotation-1.3-spec-java >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >TomcatServer.java <<'END'
import javax.servlet.*;
import javax.websocket.*;
import javax.websocket.server.*;
import org.apache.catalina.servlets.DefaultServlet;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.websocket.server.WsSci;
public class TomcatServer {
    public static class Handler extends Endpoint {
        public void onOpen(Session session, EndpointConfig config) {
            session.addMessageHandler(String.class, (MessageHandler.Whole<String>) text -> { throw new IllegalArgumentException(text); });
        }
    }
    public static class Listener implements ServletContextListener {
        public void contextInitialized(ServletContextEvent event) {
            var container = (ServerContainer) event.getServletContext().getAttribute("javax.websocket.server.ServerContainer");
            try {
                container.addEndpoint(ServerEndpointConfig.Builder.create(Handler.class, "/").build());
            } catch (DeploymentException error) {
                throw new IllegalStateException(error);
            }
        }
    }
    public static void main(String[] arguments) throws Exception {
        var server = new Tomcat();
        server.setBaseDir("base");
        server.setPort(0);
        server.getConnector().setProperty("address", "127.0.0.1");
        var context = server.addContext("", System.getProperty("user.dir"));
        context.addServletContainerInitializer(new WsSci(), null);
        context.addApplicationListener(Listener.class.getName());
        Tomcat.addServlet(context, "default", new DefaultServlet());
        context.addServletMappingDecoded("/", "default");
        server.start();
        System.out.println(server.getConnector().getLocalPort());
        System.in.read();
        server.stop();
        System.exit(0);
    }
}
END
cat >JettyServer.java <<'END'
import java.net.InetSocketAddress;
import org.eclipse.jetty.server.*;
import org.eclipse.jetty.websocket.api.WebSocketAdapter;
import org.eclipse.jetty.websocket.server.WebSocketHandler;
import org.eclipse.jetty.websocket.servlet.WebSocketServletFactory;
public class JettyServer {
    public static class Handler extends WebSocketAdapter {
        public void onWebSocketText(String text) { throw new IllegalArgumentException(text); }
    }
    public static void main(String[] arguments) throws Exception {
        var server = new Server(new InetSocketAddress("127.0.0.1", 0));
        server.setHandler(new WebSocketHandler() {
            public void configure(WebSocketServletFactory factory) { factory.register(Handler.class); }
        });
        server.start();
        System.out.println(((ServerConnector) server.getConnectors()[0]).getLocalPort());
        System.in.read();
        server.stop();
        System.exit(0);
    }
}
END
cat >program.py <<'END'
import base64, os, socket, subprocess, sys
def end_of(port, act):
    with socket.create_connection(("127.0.0.1", port), timeout=9) as connection:
        connection.sendall((f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n").encode())
        stream = connection.makefile("rb")
        while stream.readline() != b"\r\n":
            pass
        act(connection)
        first, length = stream.read(2)
        payload = stream.read(length)
        return int.from_bytes(payload[:2], "big") or "no code", payload[2:].decode()
def fail(connection):
    connection.sendall(b"\x81\x85\0\0\0\0input") # a text message; the mask is 0
for name in ("Tomcat", "Jetty"):
    server = subprocess.Popen(["java", "-cp", sys.argv[1], f"{name}Server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    port = int(server.stdout.readline())
    print(name, "a handler raises:", *end_of(port, fail))
    def stop(_):
        server.stdin.write(b"\n")
        server.stdin.flush()
    print(name, "is stopped:", *end_of(port, stop))
    server.wait()
END
jars=$(ls root/usr/share/java/tomcat9-*.jar root/usr/share/java/jetty9-*.jar root/usr/share/java/servlet-api.jar root/usr/share/java/geronimo-*.jar | tr '\n' ':')
javac -cp "$jars" ./*.java
timeout 60 python3 program.py "$jars." | sed 's/ *$//' | tee seen
cat >wanted <<'END'
Tomcat a handler raises: 1002 An unrecoverable IOException occurred so the connection was closed
Tomcat is stopped: 1001 The web application is stopping
Jetty a handler raises: 1011 input
Jetty is stopped: no code
END
cmp wanted seen
