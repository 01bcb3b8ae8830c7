package io.penstock.testjobs;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Writes what it was called with to the file named by its first argument: a line with the number of
 * arguments after the first, then each as base64 of its UTF-8. Then it runs a job of one record, so
 * that the application ends as successful.
 */
public final class EchoArgs {
    private EchoArgs() {}

    public static void main(String[] args) throws Exception {
        StringBuilder text = new StringBuilder().append(args.length - 1).append('\n');
        for (int i = 1; i < args.length; i++) {
            text.append(Base64.getEncoder().encodeToString(args[i].getBytes(StandardCharsets.UTF_8))).append('\n');
        }
        Path file = new Path(args[0]);
        try (FSDataOutputStream out = file.getFileSystem().create(file, FileSystem.WriteMode.OVERWRITE)) {
            out.write(text.toString().getBytes(StandardCharsets.US_ASCII));
        }
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.fromSequence(1, 1).filter(value -> false).print();
        env.execute("echo arguments");
    }
}
