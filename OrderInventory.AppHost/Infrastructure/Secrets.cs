using System.Security.Cryptography;

namespace OrderInventory.AppHost.Infrastructure;

internal static class Secrets
{
    public static string New() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));

    /// <summary>A new secret for every start, or the one that was created with the kept data (in a file that only its owner may read).</summary>
    public static string NewOrKept(string? folder, string fileName)
    {
        if (folder is null)
        {
            return New();
        }

        var file = Path.Combine(folder, fileName);
        if (!File.Exists(file))
        {
            Directory.CreateDirectory(folder);
            WriteForOwner(file, New());
        }

        return File.ReadAllText(file).Trim();
    }

    public static void WriteForOwner(string file, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(file, options);
        writer.Write(text);
    }

    /// <summary>
    /// The part of an address that may be shown or logged: without user and password, and without parts that may be wrongly escaped pieces of them.
    /// </summary>
    public static string WithoutCredentials(string address)
        => !Uri.TryCreate(address, UriKind.Absolute, out var uri) ? "an address that cannot be read"
            : uri.IsFile ? address
            : uri.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
}
