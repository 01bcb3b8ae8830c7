package io.penstock.spark;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Base64;
import java.util.List;

/**
 * Calls another main class with arguments out of a file, for those that a command line cannot carry:
 * longer than Linux takes, with characters XML has not, or that a node's locale would change.
 *
 * <p>Its one argument is the file: lines of base64 of UTF-8, the class's name first.
 */
public final class Main {
    private Main() {}

    /** Entry point. Throws what the class throws. */
    public static void main(String[] file) throws Throwable {
        List<String> lines = Files.readAllLines(Paths.get(file[0]), StandardCharsets.US_ASCII);
        String[] words = new String[lines.size()];
        for (int i = 0; i < words.length; i++) {
            words[i] = new String(Base64.getDecoder().decode(lines.get(i)), StandardCharsets.UTF_8);
        }
        String[] args = new String[words.length - 1];
        System.arraycopy(words, 1, args, 0, args.length);
        Class<?> type = Class.forName(words[0], true, Thread.currentThread().getContextClassLoader());
        Method main = type.getMethod("main", String[].class);
        if (!Modifier.isStatic(main.getModifiers())) {
            throw new IllegalArgumentException("main of " + words[0] + " is not static");
        }
        try {
            main.invoke(null, (Object) args);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
