package io.penstock.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FlinkSqlTest {
    private static final String SCRIPT = "SELECT 'ü; 中文 𝄞';\n-- $x `y`";

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void scriptAndNameArriveUnchanged() throws Exception {
        FlinkSql plain = FlinkSql.parse(new String[] {"--job-name", "--a 'b'", "--script-base64", base64(SCRIPT)});
        assertEquals(SCRIPT, plain.script);
        assertEquals("--a 'b'", plain.jobName);
        FlinkSql encoded = FlinkSql.parse(new String[] {"--script-base64", base64(SCRIPT), "--job-name-base64", base64("#ü\n")});
        assertEquals("#ü\n", encoded.jobName);
        assertNull(FlinkSql.parse(new String[] {"--script-base64", ""}).jobName);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "--script-base64", "--job-name x", "--other x", "--script-base64 %%", "--script-base64 gA==",
        "--script-base64 YQ== --script-uri /x", "--script-base64 YQ== --job-name a --job-name-base64 YQ==",
    })
    void wrongArguments(String line) {
        String[] args = line.isEmpty() ? new String[0] : line.split(" ");
        assertThrows(IllegalArgumentException.class, () -> FlinkSql.parse(args));
    }
}
