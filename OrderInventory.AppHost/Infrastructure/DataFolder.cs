using System.Globalization;

namespace OrderInventory.AppHost.Infrastructure;

/// <summary>
/// Where embedded servers keep their files: <c>Infrastructure:DataPath</c>, or a folder of this start under the temp path that is deleted at stop.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    private const string Prefix = "order-inventory-";
    private readonly FileStream? _lock;

    private DataFolder(string path, FileStream? fileLock)
    {
        Path = path;
        _lock = fileLock;
    }

    public string Path { get; }

    public bool IsKept => _lock is not null;

    public static DataFolder Open(string? dataPath)
    {
        if (dataPath is null)
        {
            DeleteLeftovers();
            var own = Directory.CreateTempSubdirectory(string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-")).FullName;
            AllowEveryoneToEnter(own);
            return new DataFolder(own, null);
        }

        try
        {
            if (!Directory.Exists(dataPath))
            {
                Directory.CreateDirectory(dataPath);
                AllowEveryoneToEnter(dataPath);
            }

            // Held while we run: two systems on the same files would destroy them.
            return new DataFolder(dataPath, new FileStream(System.IO.Path.Combine(dataPath, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException)
        {
            throw new DistributedApplicationException($"Infrastructure:DataPath {dataPath} cannot be written by this user.");
        }
        catch (IOException)
        {
            throw new DistributedApplicationException($"Infrastructure:DataPath {dataPath} is in use by another running system (or is no folder).");
        }
    }

    public string Sub(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>The folder of a server that runs as this very user; nobody else reads its mails, topics or settings.</summary>
    public string MakeClosed(string name)
    {
        var folder = Directory.CreateDirectory(Sub(name)).FullName;
        Close(folder);
        return folder;
    }

    public void Dispose()
    {
        if (_lock is not null)
        {
            _lock.Dispose();
            return;
        }

        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // A file that a dying process still wrote; the next start sweeps the folder away.
        }
    }

    /// <summary>After a kill -9 nobody deletes; the folder's name tells whose it was.</summary>
    private static void DeleteLeftovers()
    {
        foreach (var folder in Directory.EnumerateDirectories(System.IO.Path.GetTempPath(), Prefix + "*"))
        {
            var owner = System.IO.Path.GetFileName(folder)[Prefix.Length..].Split('-')[0];
            if (int.TryParse(owner, NumberStyles.None, CultureInfo.InvariantCulture, out _) && !Directory.Exists($"/proc/{owner}"))
            {
                try
                {
                    Directory.Delete(folder, recursive: true);
                }
                catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
                {
                    // Another user's, or being deleted by another start at this moment.
                }
            }
        }
    }

    /// <summary>Only its owner, whoever that is, may enter.</summary>
    public static void Close(string folder) => SetMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    // PostgreSQL may run as another user (never as root), who must get through to its own folder; the folders below are closed.
    private static void AllowEveryoneToEnter(string folder) => SetMode(
        folder,
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);

    private static void SetMode(string folder, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, mode);
        }
    }
}
