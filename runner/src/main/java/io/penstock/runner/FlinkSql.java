package io.penstock.runner;

import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/**
 * Runs a SQL script as a Flink application.
 *
 * <p>Arguments: {@code --script-uri URI} or {@code --script-base64 TEXT} (UTF-8 either way), and
 * {@code --job-name NAME} or {@code --job-name-base64 TEXT} for {@code pipeline.name}, unless the
 * script sets that itself. The base64 forms exist for {@code flink-conf.yaml} (up to 1.18), which
 * cannot hold every character.
 *
 * <p><b>Settings.</b> SETs before the first other statement configure the environment ({@code
 * execution.runtime-mode} must be among them or in the application's configuration); later ones
 * the table configuration from there on.
 *
 * <p><b>Streaming.</b> DDL runs as it comes; all INSERTs and statement sets together become one job,
 * submitted at the end. SELECT is refused.
 *
 * <p><b>Batch.</b> Statement after statement, each job awaited before the next begins; an explicit
 * statement set is one job. SELECT prints up to 1000 rows. The first failure ends the script, and
 * the application fails with an exception that names the statement. If a job is cancelled the
 * script ends there and the application counts as cancelled. Both rely on Flink finding the job's
 * own failure among the causes of what is thrown here, or in the job's result: causes are kept.
 *
 * <p><b>Configuration it needs.</b>
 *
 * <ul>
 *   <li>{@code $internal.pipeline.job-id} fixes the job id in advance. Flink then allows a single
 *       job per application (up to 2.2; later, only the first job has this id). So: set it for a
 *       streaming script and for a batch script with one job; leave it out for a batch script with
 *       several.
 *   <li>{@code execution.submit-failed-job-on-application-error} = true makes a failing script a
 *       failed job in the REST API and the archive (without it, a script that fails before its job
 *       starts ends a 1.x application with exit code 2 and no reason outside the logs). It needs the
 *       fixed id and allows one job only: leave it out together with the id.
 *   <li>{@code high-availability.type} must be NONE for a batch script with several jobs: with high
 *       availability Flink fixes the job id by itself.
 *   <li>{@code execution.attached} and {@code table.dml-sync} do not matter: jobs are awaited through
 *       their client, which asks the dispatcher in the same process.
 *   <li>{@code execution.shutdown-on-application-finish} must stay true (the default).
 * </ul>
 *
 * <p>Progress goes to standard output, see {@link Events}. A user's function that prints in this
 * process can write such lines too: they inform, they prove nothing.
 */
public final class FlinkSql {
    /** A script larger than this is not a script. */
    private static final int MAX_BYTES = 64 << 20;

    final String script;
    /** Null if not given. */
    final String jobName;

    private FlinkSql(String script, String jobName) {
        this.script = script;
        this.jobName = jobName;
    }

    /** Entry point; Flink calls it in the JobManager's process. */
    public static void main(String[] args) throws Exception {
        // The log's readers expect UTF-8, whatever the locale of the node.
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
        try {
            FlinkSql program = parse(args);
            new ScriptRunner(program.script, program.jobName, out).run(
                    StreamExecutionEnvironment.getExecutionEnvironment().getConfiguration(),
                    head -> TableEnvironment.create(EnvironmentSettings.newInstance().withConfiguration(head).build()));
        } catch (ScriptException | IllegalArgumentException e) {
            System.err.println(e.getMessage());
            throw e;
        }
    }

    static FlinkSql parse(String[] args) throws IOException {
        String script = null;
        String jobName = null;
        for (int i = 0; i < args.length; i += 2) {
            if (i + 1 == args.length) {
                throw new IllegalArgumentException("argument " + args[i] + " has no value");
            }
            boolean isScript = args[i].startsWith("--script-");
            if (isScript ? script != null : jobName != null) {
                throw new IllegalArgumentException("argument " + args[i] + " is one too many");
            }
            switch (args[i]) {
                case "--script-uri":
                    script = utf8(read(args[i + 1]));
                    break;
                case "--script-base64":
                    script = utf8(Base64.getDecoder().decode(args[i + 1]));
                    break;
                case "--job-name":
                    jobName = args[i + 1];
                    break;
                case "--job-name-base64":
                    jobName = utf8(Base64.getDecoder().decode(args[i + 1]));
                    break;
                default:
                    throw new IllegalArgumentException("unknown argument " + args[i]);
            }
        }
        if (script == null) {
            throw new IllegalArgumentException("one of --script-uri and --script-base64 is required");
        }
        return new FlinkSql(script, jobName);
    }

    private static byte[] read(String uri) throws IOException {
        Path path = new Path(uri);
        try (FSDataInputStream in = path.getFileSystem().open(path)) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            byte[] buffer = new byte[1 << 16];
            int length = in.read(buffer);
            while (length > 0) {
                all.write(buffer, 0, length);
                if (all.size() > MAX_BYTES) {
                    throw new IllegalArgumentException("the script is larger than " + (MAX_BYTES >> 20) + " MiB: " + uri);
                }
                length = in.read(buffer);
            }
            return all.toByteArray();
        }
    }

    private static String utf8(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("the text is not UTF-8", e);
        }
    }
}
