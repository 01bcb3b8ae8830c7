package io.penstock.runner;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a SET or RESET names: {@code 'key' = 'value'}, or the older {@code key = value}. */
final class Setting {
    private static final String TEXT = "'([^']*+(?:''[^']*+)*+)'";
    private static final Pattern QUOTED = Pattern.compile(TEXT + "\\s*=\\s*" + TEXT);
    private static final Pattern PLAIN = Pattern.compile("([^\\s'=]+)\\s*=\\s*(?:" + TEXT + "|([^']*))");
    private static final Pattern KEY = Pattern.compile(TEXT + "|([^\\s'=]+)");

    /** Null: all of them. */
    final String key;
    /** Null in a RESET, and in a SET that only asks. */
    final String value;

    private Setting(String key, String value) {
        this.key = key;
        this.value = value;
    }

    /**
     * @throws ScriptException if the statement has another form
     */
    static Setting of(Statement statement) {
        boolean set = statement.kind == Statement.Kind.SET;
        String rest = statement.text.substring(set ? "SET".length() : "RESET".length()).trim();
        if (rest.isEmpty()) {
            return new Setting(null, null);
        }
        Matcher quoted = QUOTED.matcher(rest);
        Matcher plain = PLAIN.matcher(rest);
        Matcher key = KEY.matcher(rest);
        if (set && quoted.matches()) {
            return new Setting(unquote(quoted.group(1)), unquote(quoted.group(2)));
        }
        if (set && plain.matches()) {
            String value = plain.group(2) == null ? plain.group(3).trim() : unquote(plain.group(2));
            return new Setting(plain.group(1), value);
        }
        if (!set && key.matches()) {
            return new Setting(key.group(1) == null ? key.group(2) : unquote(key.group(1)), null);
        }
        throw new ScriptException(set ? "expected SET 'key' = 'value'" : "expected RESET 'key'");
    }

    private static String unquote(String text) {
        return text.replace("''", "'");
    }
}
