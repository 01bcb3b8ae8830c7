package io.penstock.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingTest {
    private static Setting of(String statement) {
        return Setting.of(Splitter.split(statement).get(0));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "SET 'a.b' = 'c d' | a.b | c d", "set 'a'='it''s' | a | it's", "SET a.b = c | a.b | c", "SET a.b=hdfs://x/y | a.b | hdfs://x/y",
        "SET a.b = 'c;d' | a.b | c;d", "SET 'it''s' = '' | it's | ^^",
    }, quoteCharacter = '^')
    void set(String statement, String key, String value) {
        assertEquals(key, of(statement).key);
        assertEquals(value, of(statement).value);
    }

    @Test
    void withoutValue() {
        assertNull(of("SET").key);
        assertNull(of("RESET;").key);
        assertEquals("a.b", of("RESET 'a.b'").key);
        assertEquals("a.b", of("RESET a.b").key);
    }

    @Test
    void longValueDoesNotExhaustTheStack() {
        String value = new String(new char[200_000]).replace("\0", "x''");
        assertEquals(value.replace("''", "'"), of("SET 'a' = '" + value + "'").value);
    }

    @ParameterizedTest
    @ValueSource(strings = {"SET 'a'", "SET 'a' 'b'", "SET = b", "RESET 'a' 'b'", "SET 'a' = b"})
    void otherForms(String statement) {
        assertThrows(ScriptException.class, () -> of(statement));
    }
}
